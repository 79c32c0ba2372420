/** Numbers of system calls, which differ between architectures (Linux, `asm/unistd.h`). */

interface SystemCalls {
  readonly prctl: number;
  /** prlimit64 */
  readonly prlimit: number;
  readonly wait4: number;
}

const GENERIC: SystemCalls = { prctl: 167, prlimit: 261, wait4: 260 };
const BY_ARCHITECTURE: Readonly<Record<string, SystemCalls>> = {
  x64: { prctl: 157, prlimit: 302, wait4: 61 },
  arm64: GENERIC,
  riscv64: GENERIC,
  loong64: GENERIC,
  ppc64: { prctl: 171, prlimit: 325, wait4: 114 },
  s390x: { prctl: 172, prlimit: 334, wait4: 114 },
  ia32: { prctl: 172, prlimit: 340, wait4: 114 },
  arm: { prctl: 172, prlimit: 369, wait4: 114 },
};

/** Null where they are not known: another system than Linux, or another architecture. */
export function systemCalls(platform: NodeJS.Platform, architecture: string): SystemCalls | null {
  return platform === 'linux' ? (BY_ARCHITECTURE[architecture] ?? null) : null;
}

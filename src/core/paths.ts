/** Questions about paths that need no look at the disk. POSIX paths. */

/** Whether an absolute, normalised `target` is `root` or lies below it. */
export function isInside(root: string, target: string): boolean {
  return target === root || target.startsWith(root.endsWith('/') ? root : `${root}/`);
}

import { expect, test } from 'vitest';
import { interpreterByTag, INTERPRETER_NAMES, interpreterOf, readShebang } from '../../../src/core/interpreters.ts';

test('a tag means one interpreter in each kind of document', () => {
  for (const kind of ['classic', 'steps'] as const) {
    const tags = INTERPRETER_NAMES.flatMap((name) => interpreterOf(name).tags[kind]);
    expect(new Set(tags).size).toBe(tags.length);
    for (const name of INTERPRETER_NAMES) {
      for (const tag of interpreterOf(name).tags[kind]) expect(interpreterByTag(tag, kind)).toBe(name);
    }
  }
});

test('sh is zsh in a classic document, and itself in steps', () => {
  expect(interpreterByTag('sh', 'classic')).toBe('zsh');
  expect(interpreterByTag('sh', 'steps')).toBe('sh');
  expect(interpreterByTag('constructor', 'steps')).toBeNull();
});

test('zsh never reads start-up files of a person', () => {
  expect(readShebang('#!/bin/zsh')?.options).toEqual(['-f']);
  expect(interpreterOf('zsh').baseOptions).toContain('-f');
});

test.each([
  ['#!/bin/sh', 'sh', []],
  ['#!   /usr/bin/bash\t-e -u ', 'bash', ['-e', '-u']],
  ['#!/usr/local/bin/bash -euo pipefail', 'bash', ['-euo', 'pipefail']],
  ['#!/usr/bin/env zsh', 'zsh', ['-f']],
  ['#!/usr/bin/python3 -I', 'python', ['-s', '-u', '-I']],
])('%s is allowed', (line, interpreter, options) => {
  expect(readShebang(line)).toEqual({ interpreter, options });
});

test.each([
  '#!',
  '#!sh',
  '#!/sh',
  '#!/opt/bin/bash',
  '#!/usr/bin/../../tmp/bash',
  '#!/bin//bash',
  '#!/bin/env bash',
  '#!/usr/bin/env',
  '#!/usr/bin/env -i bash',
  '#!/bin/bash script',
  '#!/bin/bash -',
  '#!/bin/bash --login',
  '#!/bin/bash -i',
  '#!/bin/bash -s',
  '#!/bin/bash +e',
  '#!/bin/bash -o',
  '#!/bin/bash -o pipefail x',
  '#!/bin/zsh -d',
  '#!/usr/bin/python3 -m pdb',
  '#!/usr/bin/python3 -i',
])('%s is refused', (line) => {
  expect(readShebang(line)).toBeNull();
});

import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadNative } from '../../src/xen/native.ts';

/** A descriptor's flags from /proc/self/fdinfo. */
const flagsOf = (fd: number): number => {
  const [, flags = ''] =
    /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
  return Number.parseInt(flags, 8);
};

test('a pipe leads from its second end to its first, and no child process inherits its ends', () => {
  const [readEnd, writeEnd] = loadNative().pipe();
  writeSync(writeEnd, 'one way');
  const into = Buffer.alloc(100);
  expect(into.toString('latin1', 0, readSync(readEnd, into))).toBe('one way');
  // Both ends have O_CLOEXEC, the second has O_WRONLY, and both block, as programs expect of their
  // descriptors.
  expect([flagsOf(readEnd), flagsOf(writeEnd)]).toEqual([0o2000000, 0o2000001]);
  closeSync(writeEnd);
  expect(readSync(readEnd, into)).toBe(0);
  closeSync(readEnd);
});

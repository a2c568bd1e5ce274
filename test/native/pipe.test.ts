import { closeSync, readFileSync, readSync, writeSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadNative } from '../../src/xen/native.ts';

/** As in /proc/self/fdinfo. */
const flagsOf = (fd: number): number => {
  const [, flags = ''] =
    /^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1')) ?? [];
  return Number.parseInt(flags, 8);
};

test('a pipe leads from its second end to its first, which no program inherits', () => {
  const [readEnd, writeEnd] = loadNative().pipe();
  writeSync(writeEnd, 'one way');
  const into = Buffer.alloc(100);
  expect(into.toString('latin1', 0, readSync(readEnd, into))).toBe('one way');
  // O_CLOEXEC; with O_WRONLY; and blocking, as programs expect it of theirs.
  expect([flagsOf(readEnd), flagsOf(writeEnd)]).toEqual([0o2000000, 0o2000001]);
  closeSync(writeEnd);
  expect(readSync(readEnd, into)).toBe(0);
  closeSync(readEnd);
});

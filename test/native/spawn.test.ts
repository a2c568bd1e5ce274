import { openSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { addonFile } from '../../src/package.ts';
import { loadNative, type Program } from '../../src/xen/native.ts';
import { childrenOf, openFiles } from '../rig/process.ts';
import { runChild } from './run-child.ts';

const nowhere = openSync('/dev/null', 'r+');

const program = (path: string): Program => ({
  path,
  argv: [path],
  environment: [],
  identity: undefined,
  descriptors: [nowhere, nowhere, nowhere],
});

test("the end of every process is reported beside libuv's own processes, and nothing is leaked", async () => {
  const { wrong, left, before, after } = (await runChild('spawn', { env: {} })) as Record<
    string,
    unknown
  >;
  expect([wrong, left]).toEqual([0, []]);
  expect(after).toEqual(before);
});

test.each<[what: string, change: Partial<Program>, code: string, operation: string]>([
  ['a file that is missing', { path: '/no/such/file' }, 'ENOENT', 'exec'],
  ['a file that is not executable', { path: '/etc/passwd' }, 'EACCES', 'exec'],
  [
    'a descriptor that is not open',
    { descriptors: [nowhere, 9999, nowhere] },
    'EBADF',
    'descriptors',
  ],
  ['an invalid uid', { identity: { uid: 2 ** 32 - 1, gid: 0 } }, 'EINVAL', 'user'],
  ['arguments that are too long', { argv: ['x'.repeat(200_000)] }, 'E2BIG', 'exec'],
  ['an argument with a NUL', { argv: ['true\0'] }, 'EINVAL', 'arguments'],
])('a start fails for %s, and leaks nothing', (_what, change, code, operation) => {
  const before = [openFiles(process.pid), childrenOf(process.pid)];
  const start = () => loadNative().spawn({ ...program('/bin/true'), ...change }, () => {});
  expect(start).toThrow(expect.objectContaining({ code, operation }));
  expect([openFiles(process.pid), childrenOf(process.pid)]).toEqual(before);
});

test('starts as another user change no attribute of any thread of the parent', async () => {
  // The child runs with a group other than root's, so that its /proc files show whether it is still dumpable.
  const runner = ['setpriv', '--regid=1', '--clear-groups'];
  const { before, after } = (await runChild('spawn-unchanged', { env: {}, runner })) as Record<
    string,
    unknown
  >;
  expect(before).toContainEqual(expect.objectContaining({ owner: 1 }));
  expect(after).toEqual(before);
});

test('descriptors can swap their numbers', async () => {
  const start = `require(${JSON.stringify(addonFile)}).spawn({
    path: '/bin/sh', argv: ['sh', '-c', 'echo out; echo err >&2'], environment: [], descriptors: [0, 2, 1],
  }, (status) => process.exit(status))`;
  const { stdout, stderr } = await execa(process.execPath, ['-e', start], { stdin: 'ignore' });
  expect([stdout, stderr]).toEqual(['err', 'out']);
});

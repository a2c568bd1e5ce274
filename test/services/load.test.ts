/** Many calls, and callers that do not read. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { servicesEnded } from '../../src/services/services.ts';
import { childrenOf, openFiles } from '../rig/process.ts';
import { eventually, exited, openRig, type Rig, refused } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

test('200 quick calls leave no descriptor, no process and no listener', async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const warnings: unknown[] = [];
  const warn = (warning: unknown) => warnings.push(warning);
  process.on('warning', warn);
  const before = { files: openFiles(process.pid), children: childrenOf(process.pid) };
  for (let round = 0; round < 10; round += 1) {
    const calls = Array.from({ length: 20 }, (_, index) => rig.run('copy', `${round} ${index}`));
    expect((await Promise.all(calls)).map(({ stdout }) => stdout)).toEqual(
      Array.from({ length: 20 }, (_, index) => `${round} ${index}`),
    );
  }
  await servicesEnded(rig.services);
  await eventually(
    'no descriptor is left',
    () => openFiles(process.pid).length <= before.files.length,
  );
  expect(childrenOf(process.pid)).toEqual(before.children);
  process.off('warning', warn);
  expect(warnings).toEqual([]);
});

test("a call leaves no listener on what is its caller's", async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const call = rig.call('copy');
  const before = call.stdout.listenerCount('data');
  call.stdin.end('x');
  expect(await call.ended).toEqual(exited(0));
  expect(call.stdout.listenerCount('data')).toBe(before);
  for (const name of ['end', 'close', 'drain', 'unpipe', 'data'] as const) {
    expect(call.stdin.listenerCount(name), name).toBe(0);
  }
  // So that an error that comes late does not end the agent.
  expect(call.stdin.listenerCount('error')).toBe(1);
  call.stdout.destroy(new Error('late'));
  call.stdin.destroy(new Error('late'));
});

test('a caller that does not read keeps its service blocked, and little in memory', async () => {
  // It tells on stderr how many times 64 KiB it could write.
  await rig.script(
    'flood',
    '#!/usr/bin/perl\nmy $x = "x" x 65536; while (1) { syswrite STDOUT, $x; syswrite STDERR, "."; }\n',
  );
  const call = rig.call('flood', { reads: false });
  let blocks = 0;
  call.stderr.on('data', (chunk: Buffer) => {
    blocks += chunk.length;
  });
  let last = -1;
  while (blocks !== last) {
    last = blocks;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  expect(blocks).toBeGreaterThan(0);
  expect(blocks).toBeLessThan(32); // 2 MiB, most of it the kernel's
  expect(call.stdout.readableLength + call.stdout.writableLength).toBeLessThan(256 * 1024);
  call.stdout.resume();
  await eventually('it goes on', () => blocks > 100);
  call.cancel();
  await call.ended;
});

test('a service that does not read keeps its caller blocked', async () => {
  await rig.script('deaf', '#!/bin/sh\necho here\nexec sleep 60\n');
  const call = rig.call('deaf');
  await eventually('it runs', () => call.said() !== '');
  let sent = 0;
  while (call.stdin.write(Buffer.alloc(65536)) || sent < 8) {
    sent += 1;
    if (sent > 100) break;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(sent).toBeLessThan(32);
  call.cancel();
  expect(await call.ended).toEqual(exited(143));
});

test('a peer has 64 processes and no more; another one has its own', async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const calls = Array.from({ length: 64 }, () => rig.call('copy'));
  await eventually('all run', () => childrenOf(process.pid).length >= 64);
  expect((await rig.run('copy')).ended).toMatchObject(refused('busy'));
  expect(rig.reports).toEqual([expect.stringContaining('64 calls of work-vm run already')]);
  expect((await rig.run('copy', '', { source: 'vm8' })).ended).toEqual(exited(0));
  for (const { cancel } of calls) cancel();
  await Promise.all(calls.map(({ ended }) => ended));
  expect((await rig.run('copy')).ended).toEqual(exited(0));
});

test('those that a relay vouches for have 256 processes in all; others have their own', async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const via = 'mgmt-vm';
  // All but one are there already.
  const others = rig.services.slots.hold();
  for (let call = 0; call < 255; call += 1) others.take(`all via ${via}`, 256);
  const last = rig.call('copy', { source: 'vm1', via });
  await eventually('it runs', () => childrenOf(process.pid).length > 0);
  expect((await rig.run('copy', '', { source: 'vm2', via })).ended).toMatchObject(refused('busy'));
  expect(rig.reports).toEqual([expect.stringContaining('256 calls of all via mgmt-vm run')]);
  expect((await rig.run('copy', '', { source: 'vm2' })).ended).toEqual(exited(0));
  last.cancel();
  await last.ended;
  expect((await rig.run('copy', '', { source: 'vm2', via })).ended).toEqual(exited(0));
  others.release();
});

test('a peer that calls a lot delays another by one start', async () => {
  await symlink('/bin/true', join(rig.directory, 'nothing'));
  const ended: number[] = [];
  const calls = Array.from({ length: 32 }, async () => {
    await rig.run('nothing');
    ended.push(7);
  });
  const other = rig.run('nothing', '', { source: 'vm8' }).then(() => ended.push(8));
  await Promise.all([...calls, other]);
  expect(ended.indexOf(8)).toBeLessThan(16);
});

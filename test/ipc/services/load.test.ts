/** Services under many calls, and with callers that do not read. */
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { servicesEnded } from '../../../src/ipc/services/services.ts';
import { childrenOf, openFiles } from '../../rig/process.ts';
import { slowness } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { exited, openRig, type Rig, refused, untilReleased } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

/** Resolves when `count` does not change during a pause in which an unblocked writer would have raised it. */
const standsStill = async (count: () => number): Promise<void> => {
  const pauseMs = 300 * (await slowness());
  await until('the count stands still', async () => {
    const before = count();
    await delay(pauseMs);
    return count() === before;
  });
};

test('200 quick calls leave no descriptor, process or listener behind', async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const warnings: unknown[] = [];
  const warn = (warning: unknown) => warnings.push(warning);
  process.on('warning', warn);
  onTestFinished(() => void process.off('warning', warn));
  const before = { files: openFiles(process.pid), children: childrenOf(process.pid) };
  for (let round = 0; round < 10; round += 1) {
    const calls = Array.from({ length: 20 }, (_, index) => rig.run('copy', `${round} ${index}`));
    expect((await Promise.all(calls)).map(({ stdout }) => stdout)).toEqual(
      Array.from({ length: 20 }, (_, index) => `${round} ${index}`),
    );
  }
  await servicesEnded(rig.services);
  await until('no descriptor is left', () => openFiles(process.pid).length <= before.files.length);
  expect(childrenOf(process.pid)).toEqual(before.children);
  expect(warnings).toEqual([]);
});

test("a call leaves no listener on its caller's streams", async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const call = rig.call('copy');
  const before = call.stdout.listenerCount('data');
  call.stdin.end('x');
  expect(await call.ended).toEqual(exited(0));
  expect(call.stdout.listenerCount('data')).toBe(before);
  for (const name of ['end', 'close', 'drain', 'unpipe', 'data'] as const) {
    expect(call.stdin.listenerCount(name), name).toBe(0);
  }
  // The remaining listener keeps a late error from ending the agent.
  expect(call.stdin.listenerCount('error')).toBe(1);
  call.stdout.destroy(new Error('late'));
  call.stdin.destroy(new Error('late'));
});

test('a caller that does not read blocks its service, and little output is kept in memory', async () => {
  // The service prints one byte to stderr for each 64 KiB that it could write to stdout.
  await rig.script(
    'flood',
    '#!/usr/bin/perl\nmy $x = "x" x 65536; while (1) { syswrite STDOUT, $x; syswrite STDERR, "."; }\n',
  );
  const call = rig.call('flood', { reads: false });
  let blocks = 0;
  call.stderr.on('data', (chunk: Buffer) => {
    blocks += chunk.length;
  });
  await until('the service has begun', () => blocks > 0);
  await standsStill(() => blocks);
  expect(blocks).toBeLessThan(32); // 2 MiB, most of it in the kernel's buffers
  expect(call.stdout.readableLength + call.stdout.writableLength).toBeLessThan(256 * 1024);
  call.stdout.resume();
  await until('the service goes on', () => blocks > 100);
  call.cancel();
  await call.ended;
});

test('a service that does not read blocks its caller', async () => {
  await rig.script('deaf', `#!/bin/sh\necho here\n${untilReleased}exec cat >/dev/null\n`);
  const call = rig.call('deaf');
  await until('the service runs', () => call.said() !== '');
  let blocks = 0;
  const write = (): void => {
    do blocks += 1;
    while (call.stdin.write(Buffer.alloc(65536)) && blocks < 200);
  };
  call.stdin.on('drain', write);
  write();
  await standsStill(() => blocks);
  expect(blocks).toBeLessThan(32);
  await rig.release('deaf');
  await until('the caller goes on', () => blocks > 100);
  call.cancel();
  expect(await call.ended).toEqual(exited(143));
});

test('a peer can have 64 processes, and another peer has its own 64', async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const before = childrenOf(process.pid).length;
  const calls = Array.from({ length: 64 }, () => rig.call('copy'));
  await until('all 64 services run', () => childrenOf(process.pid).length >= before + 64);
  expect((await rig.run('copy')).ended).toMatchObject(refused('busy'));
  expect(rig.reports).toEqual([expect.stringContaining('64 calls of work-vm run already')]);
  expect((await rig.run('copy', '', { source: 'vm8' })).ended).toEqual(exited(0));
  for (const { cancel } of calls) cancel();
  await Promise.all(calls.map(({ ended }) => ended));
  expect((await rig.run('copy')).ended).toEqual(exited(0));
});

test('all sources that a relay vouches for share 256 processes, and a direct peer has its own', async () => {
  await symlink('/bin/cat', join(rig.directory, 'copy'));
  const via = 'mgmt-vm';
  // All places except one are taken already.
  const others = rig.services.concurrency.reserve();
  for (let call = 0; call < 255; call += 1) others.acquire(`all callers via ${via}`, 256);
  try {
    const last = rig.call('copy', { source: 'vm1', via });
    last.stdin.write('x');
    await until('the service runs', () => last.said() === 'x');
    expect((await rig.run('copy', '', { source: 'vm2', via })).ended).toMatchObject(
      refused('busy'),
    );
    expect(rig.reports).toEqual([
      expect.stringContaining('256 calls of all callers via mgmt-vm run'),
    ]);
    expect((await rig.run('copy', '', { source: 'vm2' })).ended).toEqual(exited(0));
    last.cancel();
    await last.ended;
    expect((await rig.run('copy', '', { source: 'vm2', via })).ended).toEqual(exited(0));
  } finally {
    others.release();
  }
});

test('a peer with many calls delays another peer by one start only', async () => {
  await symlink('/bin/true', join(rig.directory, 'nothing'));
  const starts: string[] = [];
  const { enqueueStart } = rig.services;
  vi.spyOn(rig.services, 'enqueueStart').mockImplementation((key, start) =>
    enqueueStart(key, () => {
      starts.push(key);
      return start();
    }),
  );
  const sources = [...Array<string>(32).fill('vm7'), 'vm8'];
  await Promise.all(sources.map((source) => rig.run('nothing', '', { source })));
  expect(starts).toHaveLength(33);
  // The first start was under way when vm8's call came, and then the two peers took turns.
  expect(starts.indexOf('vm8')).toBe(2);
});

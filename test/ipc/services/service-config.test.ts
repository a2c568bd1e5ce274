/** The TOML files of services: a wrong file closes its own service only. */
import { chmod, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { exited, openRig, type Rig, refused } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
  await rig.script('sign', '#!/bin/sh\nid -un\n');
});
afterEach(() => rig.close());

test.each([
  ['user = "nobody"\nidle = 3\n', '2:1: unknown key "idle"'],
  ['max-runtime = "3"\n', '1:1: max-runtime: '],
  ['user = "nobody"\n\nmax-runtime = 0\n', '3:1: max-runtime: must be more than 0 seconds'],
  ['idle-timeout = inf\n', '1:1: idle-timeout: is longer than 24 days'],
  ['max-concurrent = 1.5\n', '1:1: max-concurrent: '],
  ['max-concurrent = 0\n', '1:1: max-concurrent: '],
  ['user = ""\n', '1:1: user: is empty'],
  ['user = "root\n', '1:13: '],
  ['user = "root"\nuser = "nobody"\n', '2:'],
])('%j is refused, and the report names the place', async (toml, place) => {
  await rig.config('sign', toml);
  expect((await rig.run('sign+key')).ended).toMatchObject(refused('failed'));
  expect(rig.reports).toEqual([expect.stringContaining(`/services.d/sign.toml:${place}`)]);
  expect(rig.reports[0]).not.toContain('\n');
});

test('a file for service and argument replaces the file for the service', async () => {
  await rig.config('sign', 'nonsense');
  await rig.config('sign+key', 'user = "nobody"');
  expect((await rig.run('sign+key')).stdout).toBe('nobody\n');
  expect((await rig.run('sign')).ended).toMatchObject(refused('failed'));
});

test('a file that cannot be read, or that other users can write, closes its service', async () => {
  await rig.config('sign', 'user = "nobody"');
  await chmod(join(rig.configDirectory, 'sign.toml'), 0o666);
  expect((await rig.run('sign')).ended).toMatchObject(refused('failed'));
  expect(rig.reports.at(-1)).toContain('sign.toml can be written by its group or by others');
  await rm(join(rig.configDirectory, 'sign.toml'));
  await mkdir(join(rig.configDirectory, 'sign.toml'));
  expect((await rig.run('sign')).ended).toMatchObject(refused('failed'));
  expect(rig.reports.at(-1)).toContain('EISDIR');
});

test('settings for sockets are refused with an executable, and settings for executables with a socket', async () => {
  await rig.config('sign', 'exit-on-client-eof = true');
  expect((await rig.run('sign')).ended).toMatchObject(refused('failed'));
  expect(rig.reports.at(-1)).toContain('"exit-on-client-eof" is only for socket services');
  await rig.resident('resident', (socket) => socket.end());
  await rig.config('resident', 'user = "nobody"');
  expect((await rig.run('resident')).ended).toMatchObject(refused('failed'));
  expect(rig.reports.at(-1)).toContain('"user" is only for executable services');
});

test("max-concurrent counts a file's calls from all peers and with any argument", async () => {
  await rig.script('wait', '#!/bin/sh\necho here\nread line\n');
  await rig.config('wait', 'max-concurrent = 2');
  const [first, second] = [
    rig.call('wait+a', { source: 'vm1' }),
    rig.call('wait+b', { source: 'vm2' }),
  ];
  await until('both services run', () => first.said() !== '' && second.said() !== '');
  expect((await rig.run('wait', '', { source: 'vm3' })).ended).toMatchObject(refused('busy'));
  expect((await rig.run('sign', '', { source: 'vm3' })).ended).toEqual(exited(0));
  first.stdin.end('\n');
  expect(await first.ended).toEqual(exited(0));
  expect((await rig.run('wait', '\n', { source: 'vm3' })).ended).toEqual(exited(0));
  second.cancel();
  await second.ended;
});

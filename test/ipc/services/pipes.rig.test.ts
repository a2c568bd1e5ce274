/** A service's stdin, stdout and stderr are pipes, and no descriptor is leaked, whether it starts or not. */
import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openFiles } from '../../rig/process.ts';
import { until } from '../../support/until.ts';
import { bundleProgram } from '../vchan/ends.ts';
import { exited, openRig, type Rig, refused, untilReleased } from './rig.ts';

let rig: Rig;
let program: string;
beforeAll(async () => {
  rig = await openRig();
  program = await bundleProgram(new URL('./child/exhausted.ts', import.meta.url));
});
afterAll(async () => {
  await rm(program);
  await rig.close();
});

test.each(['root', 'nobody'])(
  'a service of user %s can open /dev/stdin, /dev/stdout and /dev/stderr',
  async (user) => {
    await rig.script(
      `names-${user}`,
      '#!/bin/sh\ncat /dev/stdin >/dev/stdout\necho err >/dev/stderr\necho more >>/proc/self/fd/1\n',
    );
    expect(await rig.run(`names-${user}`, 'input\n', { user })).toEqual({
      ended: exited(0),
      stdout: 'input\nmore\n',
      stderr: 'err\n',
    });
  },
);

test('the sender is told to stop when the service closes its input with data waiting', async () => {
  await rig.script(
    'closes',
    `#!/bin/sh\nread line\nexec <&-\necho closed\n${untilReleased}echo done\n`,
  );
  const call = rig.call('closes');
  call.stdin.write(`first\n${'x'.repeat(300_000)}`);
  await until('the sender is told to stop', () => call.stdin.destroyed);
  await rig.release('closes');
  expect(await call.ended).toEqual(exited(0));
  expect(call.said()).toBe('closed\ndone\n');
});

test('a failed start leaks no descriptor', async () => {
  await rig.script('no-interpreter', '#!/no/such/interpreter\n');
  await rig.script('not-for-nobody', '#!/bin/sh\n', 0o700);
  const before = openFiles(process.pid);
  for (let round = 0; round < 5; round += 1) {
    expect((await rig.run('no-interpreter')).ended).toMatchObject(refused('not-found'));
    const { ended } = await rig.run('not-for-nobody', '', { user: 'nobody' });
    expect(ended).toMatchObject(refused('failed'));
  }
  await until('no descriptor is left', () => openFiles(process.pid).length <= before.length);
});

type Attempt = { readonly outcome: string; readonly more: number };

const startExhausted = async (what: string, prefix: readonly string[]): Promise<Attempt[]> => {
  const path = await rig.script(`exhausted-${what}`, '#!/bin/true\n');
  const [file = '', ...args] = [...prefix, process.execPath, program];
  const { stdout } = await execa(file, [...args, what, path], { stdin: 'ignore' });
  return JSON.parse(stdout);
};

test.concurrent('a start that runs out of descriptors at any point leaks none', async () => {
  const attempts = await startExhausted('descriptors', ['prlimit', '--nofile=100']);
  const outcomes = attempts.map(({ outcome }) => outcome);
  // A start needs six descriptors for the pipes, and one to learn of the end of the process.
  const failed = outcomes.slice(0, 7);
  expect(failed).toEqual(Array(7).fill(expect.stringContaining('cannot be started: EMFILE')));
  expect(outcomes.slice(7)).toEqual(Array(5).fill('started'));
  expect(attempts.map(({ more }) => more)).toEqual(Array(12).fill(0));
});

test.concurrent('a start that exceeds the process limit leaks no descriptor', async () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  expect(await startExhausted('processes', nobody)).toEqual([
    { outcome: expect.stringContaining('cannot be started: EAGAIN'), more: 0 },
  ]);
});

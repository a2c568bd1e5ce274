/** A service's stdin, stdout and stderr are pipes, which leave nothing behind, however its start ends. */
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

test.each(['root', 'nobody'])('what %s runs can open them by their names', async (user) => {
  await rig.script(
    `names-${user}`,
    '#!/bin/sh\ncat /dev/stdin >/dev/stdout\necho err >/dev/stderr\necho more >>/proc/self/fd/1\n',
  );
  expect(await rig.run(`names-${user}`, 'input\n', { user })).toEqual({
    ...{ ended: exited(0), stdout: 'input\nmore\n', stderr: 'err\n' },
  });
});

test('the sender is told of an input that is closed while some of it waits', async () => {
  await rig.script(
    'closes',
    `#!/bin/sh\nread line\nexec <&-\necho closed\n${untilReleased}echo done\n`,
  );
  const call = rig.call('closes');
  call.stdin.write(`first\n${'x'.repeat(300_000)}`);
  await until('the sender was told', () => call.stdin.destroyed);
  await rig.release('closes');
  expect(await call.ended).toEqual(exited(0));
  expect(call.said()).toBe('closed\ndone\n');
});

test('a start that fails leaves no descriptor', async () => {
  await rig.script('no-interpreter', '#!/no/such/interpreter\n');
  await rig.script('not-for-nobody', '#!/bin/sh\n', 0o700);
  const before = openFiles(process.pid);
  for (let round = 0; round < 5; round += 1) {
    expect((await rig.run('no-interpreter')).ended).toMatchObject(refused('not-found'));
    const { ended } = await rig.run('not-for-nobody', '', { user: 'nobody' });
    expect(ended).toMatchObject(refused('failed'));
  }
  await until('none is left', () => openFiles(process.pid).length <= before.length);
});

type Attempt = { readonly outcome: string; readonly more: number };

const startExhausted = async (what: string, prefix: readonly string[]): Promise<Attempt[]> => {
  const path = await rig.script(`exhausted-${what}`, '#!/bin/true\n');
  const [file = '', ...args] = [...prefix, process.execPath, program];
  const { stdout } = await execa(file, [...args, what, path], { stdin: 'ignore' });
  return JSON.parse(stdout);
};

test.concurrent('nor does one that runs out of descriptors, at whichever', async () => {
  const attempts = await startExhausted('descriptors', ['prlimit', '--nofile=100']);
  const outcomes = attempts.map(({ outcome }) => outcome);
  // Six for the pipes, one to learn of the end.
  const failed = outcomes.slice(0, 7);
  expect(failed).toEqual(Array(7).fill(expect.stringContaining('cannot be started: EMFILE')));
  expect(outcomes.slice(7)).toEqual(Array(5).fill('started'));
  expect(attempts.map(({ more }) => more)).toEqual(Array(12).fill(0));
});

test.concurrent('nor one that runs out of processes', async () => {
  const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
  expect(await startExhausted('processes', nobody)).toEqual([
    { outcome: expect.stringContaining('cannot be started: EAGAIN'), more: 0 },
  ]);
});

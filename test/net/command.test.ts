/** Programs and their input. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { attempt, CommandError, openStandby, run } from '../../src/net/command.ts';
import { openFiles } from '../rig/process.ts';

const long = 'x'.repeat(3_000_000);

const rejects = (work: Promise<unknown>, message: RegExp): Promise<void> =>
  assert.rejects(work, (error) => error instanceof CommandError && message.test(error.message));

test('all of the input arrives, also by the name of stdin', async () => {
  assert.equal(await run(['wc', '-c'], long), '3000000\n');
  assert.equal(await run(['cat', '/dev/stdin'], 'by name'), 'by name');
  assert.equal(await run(['cat'], ''), '');
  assert.equal(await run(['cat']), '', 'without input, stdin is empty');
});

test('a program that does not read all its input has not done what was asked, whatever it says', async () => {
  await rejects(run(['true'], long), /^true: did not read its input$/);
  assert.equal((await attempt(['false'], long)).status, 1, 'its own failure tells more');
});

test('one that is not there, one that fails and one that is killed', async () => {
  await rejects(run(['no-such-program'], 'input'), /^no-such-program: could not be run: /);
  await rejects(run(['sh', '-c', 'echo why >&2; exit 3']), /exit status 3: why$/);
  await rejects(run(['sh', '-c', 'kill -9 $$'], 'input'), /: killed by SIGKILL$/);
});

test('a program that stands by: used, killed, missing, closed', async () => {
  const { run: runNext, prepare, close } = openStandby(['sh', '-c', 'read -r a; echo "$$ $a"']);
  prepare();
  const [first, second] = await Promise.all([runNext('one\n'), runNext('two\n')]);
  assert.match(first, /^\d+ one\n$/);
  assert.match(second, /^\d+ two\n$/);
  prepare();
  close();
  const missing = openStandby(['no-such-program']);
  missing.prepare();
  await rejects(missing.run(''), /could not be run/);
  missing.close();
});

test('nothing stays open', async () => {
  const descriptors = (): number => openFiles(process.pid).length;
  await run(['cat'], 'x');
  const before = descriptors();
  for (let round = 0; round < 20; round += 1) {
    await run(['cat'], 'x');
    await attempt(['false'], long);
    await run(['no-such-program'], 'x').catch(() => undefined);
  }
  assert.ok(descriptors() <= before + 2, `${descriptors()} after ${before}`);
});

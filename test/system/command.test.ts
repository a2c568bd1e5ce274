/** Programs that the daemon runs: their input, their failures, and programs on standby. */
import assert from 'node:assert/strict';
import { expect, onTestFinished, test, vi } from 'vitest';
import { reportedLinkName } from '../../src/address/link-name.ts';
import { openNft } from '../../src/network/kernel/nft.ts';
import {
  attempt,
  CommandError,
  isOwnChild,
  openStandby,
  run,
  type Standby,
} from '../../src/system/command.ts';
import { childrenOf, openFiles } from '../rig/process.ts';
import { until } from '../support/until.ts';

const long = 'x'.repeat(3_000_000);

const rejects = (work: Promise<unknown>, message: RegExp): Promise<void> =>
  assert.rejects(work, (error) => error instanceof CommandError && message.test(error.message));

test('a program gets all its input, also through /dev/stdin', async () => {
  assert.equal(await run(['wc', '-c'], long), '3000000\n');
  assert.equal(await run(['cat', '/dev/stdin'], 'by name'), 'by name');
  assert.equal(await run(['cat'], ''), '');
  assert.equal(await run(['cat']), '', 'without input, stdin is empty');
});

test('a program that does not read all its input fails, even with exit status 0', async () => {
  await rejects(run(['true'], long), /^true: did not take its input$/);
  assert.equal((await attempt(['false'], long)).status, 1, 'its own failure tells more');
});

test('a missing program, a failing program and a killed program are errors with their causes', async () => {
  await rejects(run(['no-such-program'], 'input'), /^no-such-program: could not be run: /);
  await rejects(run(['sh', '-c', 'echo why >&2; exit 3']), /exit status 3: why$/);
  await rejects(run(['sh', '-c', 'kill -9 $$'], 'input'), /: killed by SIGKILL$/);
});

/** A program that prints its pid and the first line of its input. */
const teller = ['sh', '-c', 'read -r a; echo "$$ $a"'];

/** Opens a standby that is closed at the end of the test. */
const open = (argv: readonly string[]): Standby => {
  const standby = openStandby(argv);
  onTestFinished(standby.close);
  return standby;
};

const prepared = ({ prepare }: Standby): number => {
  const before = childrenOf(process.pid);
  prepare();
  const [pid = 0, ...others] = childrenOf(process.pid).filter((child) => !before.includes(child));
  assert.equal(others.length, 0);
  return pid;
};

const hasEnded = (pid: number): Promise<void> =>
  until(`${pid} ends`, () => !childrenOf(process.pid).includes(pid));

test('a program on standby serves one run, and a simultaneous run gets a new program', async () => {
  const standby = open(teller);
  const pid = prepared(standby);
  const [first, second] = await Promise.all([standby.run('one\n'), standby.run('two\n')]);
  assert.equal(first, `${pid} one\n`);
  assert.match(second, /^\d+ two\n$/);
  assert.notEqual(second, `${pid} two\n`);
});

test('a killed standby program is replaced, and "close" ends a waiting program and prevents new ones', async () => {
  const standby = open(teller);
  const killed = prepared(standby);
  process.kill(killed, 'SIGKILL');
  await hasEnded(killed);
  assert.match(await standby.run('one\n'), /^\d+ one\n$/);
  const waiting = prepared(standby);
  standby.close();
  await hasEnded(waiting);
  assert.equal(prepared(standby), 0);
});

test('a missing standby program fails only the run that needs it', async () => {
  const standby = open(['no-such-program']);
  standby.prepare();
  await rejects(standby.run(''), /could not be run/);
});

test('a program that works after a long standby counts as our own child', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  try {
    const standby = open(teller);
    const pid = prepared(standby);
    vi.advanceTimersByTime(3_600_000);
    assert.equal(isOwnChild(pid), false);
    assert.equal(await standby.run('one\n'), `${pid} one\n`);
    assert.equal(isOwnChild(pid), true);
  } finally {
    vi.useRealTimers();
  }
});

test('text with a NUL or a lone surrogate is refused', async () => {
  const { add, remove } = openNft([]);
  for (const text of ['vif\0', 'vif\ud800']) {
    const what = { elements: [{ set: 'vif', link: reportedLinkName(text) }], chains: [] } as const;
    await rejects(add({ ...what, replaced: [] }), /not valid text$/);
    await rejects(remove(what), /not valid text$/);
  }
});

test('programs leave no file descriptors open', async () => {
  const descriptors = (): number => openFiles(process.pid).length;
  await run(['cat'], 'x');
  const before = descriptors();
  for (let round = 0; round < 20; round += 1) {
    await run(['cat'], 'x');
    await attempt(['false'], long);
    await rejects(run(['no-such-program'], 'x'), /could not be run/);
  }
  await expect.poll(descriptors).toBeLessThanOrEqual(before);
});

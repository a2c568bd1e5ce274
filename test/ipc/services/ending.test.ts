/** A call ends before, with or after its process, and leaves no process behind. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { getDefaultHighWaterMark } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { leftoverMs } from '../../../src/ipc/services/limits.ts';
import { servicesEnded } from '../../../src/ipc/services/services.ts';
import { commandLine } from '../../rig/process.ts';
import { type Bound, openBound, slowness } from '../../support/slowness.ts';
import { until, untilFound } from '../../support/until.ts';
import { membersOf, statesOf } from './processes.ts';
import { exited, openRig, type Rig } from './rig.ts';

let rig: Rig;
let bound: Bound;
beforeAll(async () => {
  rig = await openRig();
  bound = await openBound(2_000);
});
afterAll(() => rig.close());
afterEach(() => {
  vi.useRealTimers();
});

/** The process group that a service printed in its first line. */
const groupOf = (call: ReturnType<Rig['call']>): Promise<number> =>
  untilFound(
    'the service prints its process group',
    () => Number(/^(\d+)\n/.exec(call.said())?.[1]) || undefined,
  );

/** A Perl script that runs `setUp`, prints its process group, and then runs `text`. */
const perl = (text: string, setUp = ''): string =>
  `#!/usr/bin/perl\n$| = 1; ${setUp} print "$$\\n";\n${text}\n`;

test.concurrent.each([
  ['waits', '', 'sleep 60;', /^S$/, 143],
  ['ignores SIGTERM', "$SIG{TERM} = 'IGNORE';", 'sleep 60 while 1;', /^S$/, 137],
  ['is stopped', '', "kill 'STOP', $$;", /^T$/, 137],
  [
    'has a background process that ignores SIGTERM',
    "$SIG{TERM} = 'IGNORE'; if (!fork) { sleep 60 while 1 } $SIG{TERM} = 'DEFAULT';",
    ...(['sleep 60;', /^SS$/, 143] as const),
  ],
  [
    'has forked twice',
    'if (!fork) { if (!fork) { sleep 60 } exit } wait;',
    'sleep 60;',
    /^SS$/,
    143,
  ],
  ['writes without end', '', "print 'x' x 1000 while 1;", /^[RS]$/, undefined],
] as const)(
  'a cancelled call of a service that %s leaves no process within 2 s',
  async (what, setUp, text, states, status) => {
    const name = `cancel-${what.replaceAll(' ', '-')}`;
    await rig.script(name, perl(text, setUp));
    const call = rig.call(name);
    const group = await groupOf(call);
    await until('the service runs', () => states.test(statesOf(group)));
    const from = performance.now();
    call.cancel();
    const ended = await call.ended;
    const took = performance.now() - from;
    expect(membersOf(group)).toEqual([]);
    if (status !== undefined) expect(ended).toEqual(exited(status));
    await bound.assertKept(took, 'the end of a cancelled call');
  },
);

test.concurrent('a call that is cancelled before its start does not start the service', async () => {
  await rig.script('never', '#!/bin/sh\ntouch "$0.ran"\n');
  const cancelled = rig.call('never', { cancelled: AbortSignal.abort() });
  expect(await cancelled.ended).toEqual(exited(143));
  await rig.script('after', '#!/bin/sh\ntouch "$0.ran"\n');
  expect((await rig.run('after')).ended).toEqual(exited(0));
  const files = await readdir(rig.directory);
  expect(files).toContain('after.ran');
  expect(files).not.toContain('never.ran');
});

test.concurrent('an input that breaks off ends the service instead of looking complete', async () => {
  await rig.script('careful', `${perl("while (<STDIN>) {} print 'complete'; sleep 60;")}`);
  const call = rig.call('careful');
  const group = await groupOf(call);
  call.stdin.write('half');
  call.stdin.destroy();
  expect(await call.ended).toEqual(exited(143));
  expect(call.said()).toBe(`${group}\n`);
});

test.concurrent('max-runtime ends a service that runs longer, and its last output is passed on', async () => {
  // The time in which a slow machine can start the program several times.
  const runtime = Math.max(0.5, 0.05 * (await slowness()));
  const handler = "$SIG{TERM} = sub { print 'farewell'; exit 0 };";
  await rig.script('long', perl('sleep 60;', handler));
  await rig.config('long', `max-runtime = ${runtime}`);
  const call = rig.call('long');
  // The service exits with 0, which the caller would take for success.
  expect(await call.ended).toEqual(exited(143));
  expect(call.said()).toMatch(/^\d+\nfarewell$/);
  expect(rig.reports).toContainEqual(
    expect.stringContaining(`long: ended after ${runtime} s (max-runtime)`),
  );
});

test.concurrent('a timeout also ends a call whose caller does not read', async () => {
  await rig.script('flood', perl("print 'x' x 1000 while 1;"));
  await rig.config('flood', 'max-runtime = 0.5');
  const call = rig.call('flood', { reads: false });
  expect(await call.ended).toEqual(exited(143));
});

test.concurrent('output of a background process after the end of the service is passed on', async () => {
  await rig.script('late', '#!/bin/sh\n(sleep 0.5; echo late) &\necho early\nexit 5\n');
  const { ended, stdout } = await rig.run('late');
  expect([ended, stdout]).toEqual([exited(5), 'early\nlate\n']);
});

test.concurrent('an output that stays open without data is closed 2 s after the end of the service', async () => {
  await rig.script('keeps', '#!/bin/sh\necho $$\nsleep 60 &\nexit 6\n');
  const from = performance.now();
  const call = rig.call('keeps');
  const group = await groupOf(call);
  expect(await call.ended).toEqual(exited(6));
  expect(performance.now() - from).toBeGreaterThan(0.9 * leftoverMs);
  expect(membersOf(group)).toEqual([]);
  expect(rig.reports).toContainEqual(expect.stringContaining('keeps: closed its output'));
});

test.concurrent('an output that a process outside the group keeps open is closed, too', async () => {
  await rig.script('escaped', '#!/bin/sh\nsetsid sleep 60 &\necho $!\nexit 7\n');
  const call = rig.call('escaped');
  const sleeper = await groupOf(call);
  try {
    expect(await call.ended).toEqual(exited(7));
    expect(commandLine(sleeper)).toBe('sleep 60');
  } finally {
    process.kill(sleeper, 'SIGKILL');
  }
});

test.concurrent('a slow caller gets the whole output, long after the end of the service', async () => {
  // The caller's stream cannot take it all, but the stream and the pipe together can.
  const length = 2 * getDefaultHighWaterMark(false) + 65_536;
  await rig.script('quick', `#!/usr/bin/perl\nprint STDERR "$$\\n"; print "x" x ${length};\n`);
  const call = rig.call('quick', { reads: false });
  const [group] = await once(call.stderr, 'data');
  await until('the process has ended', () => membersOf(Number(`${group}`)).length === 0);
  // An output without data would be closed within this time.
  await delay(1.5 * leftoverMs);
  expect(await buffer(call.stdout)).toHaveLength(length);
  expect(await call.ended).toEqual(exited(0));
});

test.concurrent('a background process without the output pipes does not delay the outcome, and is ended later', async () => {
  await rig.script('leaves', '#!/bin/sh\necho $$\nsleep 60 >/dev/null 2>&1 </dev/null &\n');
  const call = rig.call('leaves');
  const group = await groupOf(call);
  await call.ended;
  expect(membersOf(group)).toHaveLength(1);
  await servicesEnded(rig.services);
  expect(membersOf(group)).toEqual([]);
  expect(rig.reports).toContainEqual(
    expect.stringContaining('leaves: ending processes that it left running'),
  );
});

test('idle-timeout ends a call in which no byte moves in either direction', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  await rig.script('idle', '#!/bin/sh\nexec cat\n');
  await rig.config('idle', 'idle-timeout = 0.6');
  const call = rig.call('idle');
  // Each pause is shorter than the timeout, and all together are longer.
  for (let turn = 1; turn <= 5; turn += 1) {
    call.stdin.write('.');
    await until('the echo arrives', () => call.said().length === turn);
    vi.advanceTimersByTime(450);
  }
  call.stdin.write('.');
  await until('the last echo arrives', () => call.said().length === 6);
  // The timer checks four times per timeout, and its first check sees the last byte.
  vi.advanceTimersByTime(600 + 150);
  expect(await call.ended).toEqual(exited(143));
  expect(rig.reports).toContainEqual(
    expect.stringContaining('idle: ended: no byte moved for 0.6 s'),
  );
});

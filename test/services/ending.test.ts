/** How a call ends before, with and after its process, and what is left: nothing. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { servicesEnded } from '../../src/services/services.ts';
import { membersOf } from './processes.ts';
import { eventually, exited, openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

/** The group that a service told of in its first line. */
const groupOf = (call: ReturnType<Rig['call']>): Promise<number> =>
  eventually('its group', () => Number(/^(\d+)\n/.exec(call.said())?.[1]) || undefined);

const seconds = async (wait: Promise<unknown>): Promise<number> => {
  const from = performance.now();
  await wait;
  return (performance.now() - from) / 1000;
};

const perl = (text: string): string => `#!/usr/bin/perl\n$| = 1; print "$$\\n";\n${text}\n`;

test.concurrent.each([
  ['waits', 'sleep 60;', 143],
  ['ignores SIGTERM', "$SIG{TERM} = 'IGNORE'; sleep 60 while 1;", 137],
  ['is stopped', "kill 'STOP', $$;", 137],
  [
    'has a background process that ignores SIGTERM',
    "if (!fork) { $SIG{TERM} = 'IGNORE'; sleep 60 while 1 } sleep 60;",
    143,
  ],
  ['has forked twice', 'if (!fork) { if (!fork) { sleep 60 } exit } wait; sleep 60;', 143],
  ['writes without end', "print 'x' x 1000 while 1;", undefined],
])(
  'a cancelled call of a service that %s leaves no process within 2 s',
  async (what, text, status) => {
    const name = `cancel-${what.replaceAll(' ', '-')}`;
    await rig.script(name, perl(text));
    const call = rig.call(name);
    const group = await groupOf(call);
    await eventually('it runs', () => membersOf(group).length > 0);
    call.cancel();
    expect(await seconds(call.ended)).toBeLessThan(2);
    expect(membersOf(group)).toEqual([]);
    if (status !== undefined) expect(await call.ended).toEqual(exited(status));
  },
);

test.concurrent('a call that is cancelled before it starts, does not start', async () => {
  await rig.script('never', '#!/bin/sh\ntouch "$0.ran"\n');
  const call = rig.call('never', { cancelled: AbortSignal.abort() });
  expect(await call.ended).toEqual(exited(143));
  expect(await readdir(rig.directory)).not.toContain('never.ran');
});

test.concurrent('an input that breaks off does not pass for its end', async () => {
  await rig.script('careful', `${perl("while (<STDIN>) {} print 'complete'; sleep 60;")}`);
  const call = rig.call('careful');
  const group = await groupOf(call);
  call.stdin.write('half');
  call.stdin.destroy();
  expect(await call.ended).toEqual(exited(143));
  expect(call.said()).toBe(`${group}\n`);
});

test.concurrent('max-runtime ends what runs longer, with what it had to say', async () => {
  await rig.script('long', perl("$SIG{TERM} = sub { print 'farewell'; exit 0 }; sleep 60;"));
  await rig.config('long', 'max-runtime = 0.5');
  const call = rig.call('long');
  expect(await seconds(call.ended)).toBeLessThan(2);
  // Its 0 would pass for success.
  expect(await call.ended).toEqual(exited(143));
  expect(call.said()).toMatch(/^\d+\nfarewell$/);
  expect(rig.reports).toContainEqual(
    expect.stringContaining('long: ended after 0.5 s (max-runtime)'),
  );
});

test.concurrent('idle-timeout ends a call in which no byte moves, in whatever direction', async () => {
  await rig.script('idle', '#!/bin/sh\nexec cat\n');
  await rig.config('idle', 'idle-timeout = 0.6');
  const call = rig.call('idle');
  const from = performance.now();
  for (let turn = 1; turn <= 6; turn += 1) {
    call.stdin.write('.');
    await eventually('the echo', () => call.said().length === turn);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  expect(performance.now() - from).toBeGreaterThan(1000);
  expect(await seconds(call.ended)).toBeLessThan(2);
  expect(await call.ended).toEqual(exited(143));
  expect(rig.reports).toContainEqual(
    expect.stringContaining('idle: ended: no byte moved for 0.6 s'),
  );
});

test.concurrent('a caller that does not read is ended by a timeout too', async () => {
  await rig.script('flood', perl("print 'x' x 1000 while 1;"));
  await rig.config('flood', 'max-runtime = 0.5');
  const call = rig.call('flood', { reads: false });
  expect(await seconds(call.ended)).toBeLessThan(3);
  expect(await call.ended).toEqual(exited(143));
});

test.concurrent('what a background process says after the end is still passed on', async () => {
  await rig.script('late', '#!/bin/sh\n(sleep 0.5; echo late) &\necho early\nexit 5\n');
  const { ended, stdout } = await rig.run('late');
  expect([ended, stdout]).toEqual([exited(5), 'early\nlate\n']);
});

test.concurrent('an output that is kept open in silence is closed 2 s after the end', async () => {
  await rig.script('keeps', '#!/bin/sh\necho $$\nsleep 60 &\nexit 6\n');
  const call = rig.call('keeps');
  const group = await groupOf(call);
  const took = await seconds(call.ended);
  expect(took).toBeGreaterThan(1);
  expect(took).toBeLessThan(4);
  expect(await call.ended).toEqual(exited(6));
  expect(membersOf(group)).toEqual([]);
  expect(rig.reports).toContainEqual(expect.stringContaining('keeps: closed its output'));
});

test.concurrent('also if what keeps it open has left the group', async () => {
  await rig.script('escaped', '#!/bin/sh\nsetsid sleep 4 &\nexit 7\n');
  const call = rig.call('escaped');
  expect(await seconds(call.ended)).toBeLessThan(4);
  expect(await call.ended).toEqual(exited(7));
});

test.concurrent('a caller that reads slowly gets all of it, long after the end', async () => {
  await rig.script('quick', '#!/usr/bin/perl\nprint "x" x 300_000;\n');
  const call = rig.call('quick', { reads: false });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  let length = 0;
  call.stdout.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  expect(await call.ended).toEqual(exited(0));
  await eventually('all of it', () => length === 300_000);
});

test.concurrent('what is left running without our outputs delays no answer, and is ended later', async () => {
  await rig.script('leaves', '#!/bin/sh\necho $$\nsleep 60 >/dev/null 2>&1 </dev/null &\n');
  const call = rig.call('leaves');
  const group = await groupOf(call);
  await call.ended;
  expect(membersOf(group)).toHaveLength(1);
  await servicesEnded(rig.services);
  expect(membersOf(group)).toEqual([]);
  expect(rig.reports).toContainEqual(
    expect.stringContaining('leaves: ended what it had left running'),
  );
});

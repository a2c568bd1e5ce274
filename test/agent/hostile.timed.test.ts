/** A VM whose agent means ill hurts nobody but itself: an honest one goes on calling meanwhile. */
import { once } from 'node:events';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { rssMiB } from '../rig/process.ts';
import { buildPeer } from '../vchan/ends.ts';
import { ask, linkTo, makeVm, services, startHost } from './vms.ts';

const program = new URL('child/hostile.ts', import.meta.url).pathname;

/** What the agent's log says when it has had enough of one; the others go on all the time. */
const attacks: Readonly<Record<string, string | undefined>> = {
  garbage: '"by":"us","code":"',
  mute: '"by":"us","code":"hung"',
  pings: '"by":"us","code":"state"',
  greedy: undefined,
  calls: undefined,
  vouches: undefined,
  onward: undefined,
  knocks: undefined,
  'produce too much': '"cause":"VCHAN_CORRUPT"',
  'consume backwards': '"cause":"VCHAN_CORRUPT"',
  // It says after us whatever we say, and so passes for alive.
  storm: undefined,
};

const nameOf = (mode: string): string => `evil-${mode.replaceAll(' ', '-')}`;

const attackMs = 5_000;
/** A hung peer is known after eight seconds, or later if nobody had time to look. */
const patienceMs = 30_000;
/** Below what makes a peer give a link up, on a machine that has other things to do too. */
const slowestMs = 4_000;
/** What the peers may have logged in the time that all of it takes. */
const mostLines = 6_000;
/** All peers at their bound, and what the garbage collector has not come to yet. */
const mostMiB = 100;

test('attackers of all kinds at once', { timeout: 120_000 }, async () => {
  const host = await startHost();
  await buildPeer();
  const evils = Object.keys(attacks).map((mode) => ({ mode, name: nameOf(mode) }));
  const victim = await makeVm(host, 'sa-vm', {
    serve: ['workload-vm', ...evils.map(({ name }) => name)],
    policy: ['* * @anyvm sa-vm allow'],
    services: { ...services, zeros: '#!/bin/sh\nexec cat /dev/zero\n' },
  });
  const honest = await makeVm(host, 'workload-vm', { connect: ['sa-vm'] });
  await Promise.all([victim.start(), honest.start()]);
  const mux = await linkTo(honest);
  const call = () => ask(mux, { target: 'sa-vm', service: 'cat', argument: '' }, 'still here');
  await call();
  const before = rssMiB(victim.pid());

  const domids = await Promise.all(evils.map(({ name }) => host.create({ name })));
  const start = async ({ mode }: (typeof evils)[number], index: number): Promise<void> => {
    const domid = domids[index] ?? 0;
    const argv = ['--import', 'tsx', program, `${victim.domid}`, mode];
    const evil = execa(process.execPath, argv, {
      env: host.sim.env({ domid, hypercalls: true }),
      reject: false,
      buffer: false,
    });
    onTestFinished(async () => {
      evil.kill('SIGKILL');
      await evil;
    });
    await once(evil.stdout, 'data');
  };
  await Promise.all(evils.map(start));

  /** What the log says of the ends of an attacker's links. */
  const endsOf = (mode: string): string => {
    const lines = victim.log().split('\n');
    return lines
      .filter((line) => line.includes(`"${nameOf(mode)}"`) && line.includes('the link is closed'))
      .join('\n');
  };
  const startedAt = performance.now();
  const isOver = (): boolean => {
    const ms = performance.now() - startedAt;
    const isKnown = Object.entries(attacks).every(
      ([mode, said]) => said === undefined || endsOf(mode).includes(said),
    );
    return (isKnown && ms > attackMs) || ms > patienceMs;
  };
  const times: number[] = [];
  while (!isOver()) {
    const start = performance.now();
    const { outcome, stdout } = await call();
    expect(outcome).toEqual({ kind: 'exited', status: 0 });
    expect(stdout.toString()).toBe('still here');
    times.push(performance.now() - start);
  }
  expect(Math.max(...times)).toBeLessThan(slowestMs);
  for (const [mode, said] of Object.entries(attacks)) {
    if (said === undefined) expect(endsOf(mode)).toBe('');
    else expect(endsOf(mode)).toContain(said);
  }
  const log = victim.log();
  // Nobody's word was taken for another's.
  expect(log).not.toContain('"via"');
  expect(log).toContain('denied: sa-vm takes no calls by way of evil-vouches');
  expect(log.split('\n').length).toBeLessThan(mostLines);
  expect(rssMiB(victim.pid()) - before).toBeLessThan(mostMiB);
});

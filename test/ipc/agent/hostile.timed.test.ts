/** VMs with hostile agents harm only themselves: an honest VM's calls keep working meanwhile. */
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { ownPath } from '../../../src/ipc/agent/rendezvous.ts';
import { rssMiB } from '../../rig/process.ts';
import { readNode } from '../../rig/sim/node-state.ts';
import { domidOf } from '../../support/domid.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
import { buildPeer, bundleProgram, peerProgram } from '../vchan/ends.ts';
import { ask, linkTo, makeVm, services, startHost } from './vms.ts';

/**
 * Each attack with the text that the agent's log shows (`shown`). The agent closes the link of an attack with
 * `ended`, which is the reason in the log; it tolerates the other attacks, and their links stay.
 */
const attacks: Readonly<Record<string, { readonly shown: string; readonly ended?: string }>> = {
  garbage: { shown: 'the link is closed', ended: '"by":"us","code":"' },
  mute: { shown: 'the link is closed', ended: '"by":"us","code":"hung"' },
  pings: { shown: 'the link is closed', ended: '"by":"us","code":"state"' },
  greedy: { shown: '"service":"zeros","verdict":"allow"' },
  calls: { shown: '"service":"nothing","verdict":"allow"' },
  // The agent believes no peer that vouches for another VM.
  vouches: { shown: 'denied: sa-vm does not accept calls relayed by evil-vouches' },
  onward: { shown: '"target":"workload-vm"' },
  requests: { shown: 'the name in /ipc/domain-map' },
  'produce too much': { shown: 'the link is closed', ended: '"cause":"VCHAN_CORRUPT"' },
  'consume backwards': { shown: 'the link is closed', ended: '"cause":"VCHAN_CORRUPT"' },
  // This peer echoes every byte, so its link counts as alive.
  storm: { shown: 'the link is up' },
};

const nameOf = (mode: string): string => `evil-${mode.replaceAll(' ', '-')}`;

const linesOf = (log: string, mode: string): readonly string[] =>
  log.split('\n').filter((line) => line.includes(`"${nameOf(mode)}"`));

/** The log lines that report the ends of an attacker's links. */
const endsOf = (log: string, mode: string): string =>
  linesOf(log, mode)
    .filter((line) => line.includes('the link is closed'))
    .join('\n');

/** Longest call of the honest VM, in ms; shorter than the silence after which a peer gives a link up. */
const slowestMs = 4_000;
/** Most lines that one VM may cause: a burst of 200, then 20 a second. */
const linesIn = (seconds: number): number => 200 + 20 * seconds;
/** Allowance for the log lines about links and names. */
const otherLines = 200;
/** Memory for all peers at their bound, and garbage that is not yet collected. */
const mostMiB = 100;

test('attackers of all kinds at once: the honest VM is still served, and log and memory stay within bounds', async () => {
  const host = await startHost();
  await buildPeer();
  const program = await bundleProgram(new URL('child/hostile.ts', import.meta.url));
  onTestFinished(() => rm(program));
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
  const bound = await openBound(slowestMs);
  const startedAt = performance.now();

  const isRequester = ({ mode }: (typeof evils)[number]): boolean => mode === 'requests';
  const domids = await Promise.all(evils.map(({ name }) => host.create({ name })));
  const start = async ({ mode }: (typeof evils)[number], index: number): Promise<void> => {
    const domid = domids[index] ?? 0;
    const argv = [program, `${victim.domid}`, mode, peerProgram];
    const evil = execa(process.execPath, argv, {
      env: host.sim.env({ domid, hypercalls: true }),
      reject: false,
      buffer: false,
    });
    onTestFinished(async () => {
      evil.kill('SIGKILL');
      await evil;
    });
    const early = evil.then(({ exitCode }) => {
      throw new Error(`${mode} has ended with ${exitCode}`);
    });
    await Promise.race([once(evil.stdout, 'data'), early]);
  };
  const isKnown = (): boolean => {
    const log = victim.log();
    return Object.entries(attacks).every(
      ([mode, { shown, ended = '' }]) =>
        linesOf(log, mode).some((line) => line.includes(shown)) &&
        endsOf(log, mode).includes(ended),
    );
  };
  const times: number[] = [];
  const goingOn = until('the log shows all attacks', async () => {
    const from = performance.now();
    const { outcome, stdout } = await call();
    expect(outcome).toEqual({ kind: 'exited', status: 0 });
    expect(stdout.toString()).toBe('still here');
    times.push(performance.now() - from);
    return isKnown();
  });
  await Promise.all([...evils.map(start), goingOn]);
  await bound.assertKept(Math.max(...times), 'the slowest call of an honest VM');
  const requester = {
    server: victim.domid,
    client: domidOf(domids[evils.findIndex(isRequester)] ?? 0),
  };
  await expect.poll(() => readNode(host.dom0, `${ownPath(requester)}/session`)).toMatch(/^\w+$/);
  const log = victim.log();
  for (const [mode, { ended }] of Object.entries(attacks))
    if (ended === undefined) expect(endsOf(log, mode)).toBe('');
  expect(log).not.toContain('"via"');
  const seconds = (performance.now() - startedAt) / 1000;
  expect(log.split('\n').length).toBeLessThan((evils.length + 1) * linesIn(seconds) + otherLines);
  expect(rssMiB(victim.pid()) - before).toBeLessThan(mostMiB);
});

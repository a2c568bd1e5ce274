/**
 * The daemon ends at any instant of its work, and right before and after each program that changes the kernel.
 * After the next start, forbidden flows are cut, allowed ones live, and the state is that of an unkilled daemon.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import { orMissing } from '../../rig/sim/node-state.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { addVif, removeVif } from '../../rig/sim/toolstack.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, inNetVm, inVm, mail, web } from '../../scenario/vms.ts';
import { placeWitness } from '../../scenario/witness.ts';
import { printFigures } from '../../support/figures.ts';
import { seed } from '../../support/seed.ts';
import { hangMs, until } from '../../support/until.ts';
import { backend, becomesConnected, kernelState, macOf, place, withNetVm } from './net-vm.ts';
import { type Probe, startEcho, startProbe } from './probe.ts';
import { withScripts } from './stand-in.ts';

/** `npm run nightly` asks for 200. */
const { VIFWATCH_KILLS = '3' } = process.env;
const kills = Number(VIFWATCH_KILLS);

const foreign = '10.0.5.66';

type Site = {
  readonly host: SimHost;
  /** The domain whose vif comes and goes. */
  readonly guest: number;
  /** A flow that every policy of this test allows. */
  readonly allowed: Probe;
  /** The number of packets with a foreign source that passed. */
  readonly passed: () => Promise<number>;
  /** By whether web is open and the guest has its vif: the state of the kernel without any kill. */
  readonly states: Map<string, string>;
};

const openSite = async (host: SimHost): Promise<Site> => {
  await startEcho(host, 'world', outside4);
  await create(host, web);
  const mailAt = namespaceOf(await create(host, mail));
  const allowed = await startProbe(host, mailAt, 'tcp', outside4);
  const witness = await placeWitness(host, `ip saddr ${foreign}`);
  await inVm(host, mail, ['ip', 'addr', 'add', `${foreign}/32`, 'dev', 'eth0']);
  const flood = ['ping', '-i', '0.05', '-W', '1', '-I', foreign, outside4];
  host.sim.start('flood', host.sim.inNamespace(mailAt, flood), { domid: 0 });
  const guest = await host.create({ name: 'guest' });
  return { host, guest, allowed, passed: witness.count, states: new Map() };
};

/** In turn, web becomes isolated, the vif comes, web becomes open, and the vif goes. */
const stepOf = (round: number) => ({
  isOpen: round % 4 > 1,
  hasVif: round % 4 === 1 || round % 4 === 2,
});

type Begun = { readonly removal: Promise<unknown> };

/** Begins a step, which the daemon carries out. */
const begin = async ({ host, guest }: Site, round: number): Promise<Begun> => {
  const { isOpen, hasVif } = stepOf(round);
  const had = stepOf(round + 3).hasVif;
  const profile = isOpen ? 'internet' : 'isolated';
  writeFileSync(`${host.daemon.policies}/web.toml`, `profile = "${profile}"\n`);
  if (hasVif && !had) {
    await addVif(host.dom0, place(guest), { mac: macOf(guest), ip: '10.0.5.40' });
  }
  const isGoing = !hasVif && had;
  return { removal: isGoing ? removeVif(host.dom0, place(guest), true) : Promise.resolve() };
};

const flowsOfWeb = (host: SimHost): Promise<string> =>
  inNetVm(host, ['conntrack', '-L', '-f', 'ipv4', '-s', web.ipv4]);

/** Waits until the running daemon has carried out the step, and asserts that all is as promised. */
const judge = async (
  { host, guest, allowed, passed, states }: Site,
  round: number,
  { removal }: Begun,
): Promise<void> => {
  await removal;
  const { isOpen, hasVif } = stepOf(round);
  if (hasVif) await becomesConnected(host, guest);
  else
    await until('the vif is gone', async () => {
      const nodes = await orMissing(host.dom0.tree(backend(guest)));
      return nodes === undefined;
    });
  if (isOpen) await assertReaches({ host, from: web }, gateway4, outside4);
  else
    await until(
      'the forbidden flows are cut',
      async () => !(await flowsOfWeb(host)).includes('src='),
    );
  const key = `${isOpen} ${hasVif}`;
  const expected = states.get(key);
  let state = '';
  const isAsExpected = async (): Promise<boolean> => {
    state = await kernelState(host);
    return expected === undefined || state === expected;
  };
  await until('the state is that of an unkilled daemon', isAsExpected).catch((error) => {
    assert.equal(state, expected);
    throw error;
  });
  states.set(key, state);
  await allowed.goesOn();
  assert.equal(await passed(), 0, 'packets with a foreign source passed');
};

/** Goes through the four steps without a kill; resolves with the ms of the longest one. */
const rehearse = async (site: Site): Promise<number> => {
  let longest = 0;
  for (let round = 0; round < 4; round++) {
    const began = performance.now();
    await judge(site, round, await begin(site, round));
    longest = Math.max(longest, performance.now() - began);
  }
  return longest;
};

/** A number of at least 0 and below 1; the same for each seed and index. */
const randomOf = (index: number): number => {
  const x = Math.sin(seed + index * 7919) * 10_000;
  return x - Math.floor(x);
};

test(
  `${kills} kills at random instants leave no forbidden flow and no trace`,
  {
    timeout: (kills + 10) * hangMs,
  },
  () =>
    withNetVm(async (host) => {
      const site = await openSite(host);
      const longestMs = await rehearse(site);
      for (let round = 0; round < kills; round++) {
        const waiting = await begin(site, round);
        await delay(randomOf(round) * longestMs);
        await host.signalDaemon(randomOf(round + kills) < 0.5 ? 'SIGKILL' : 'SIGTERM');
        await host.startDaemon();
        await judge(site, round, waiting);
      }
      printFigures({ kills, seed });
    }),
);

const real = (program: string): string => `/usr/sbin/${program}`;

/**
 * Counts each run of the program that may change the kernel. The daemon is killed before or after the run
 * whose number and place stand in the file `arm`; it is the parent of the script.
 */
const counted = (directory: string, program: string, changing: string): string => {
  const next = `flock ${directory}/lock sh -c 'n=$(($(cat ${directory}/count) + 1)); echo $n >${directory}/count; echo $n'`;
  const kill = (place: string): string =>
    `[ "$(cat ${directory}/arm)" != "$n ${place}" ] || { rm ${directory}/arm; kill -KILL $PPID; exit 1; }`;
  const run = `n=$(${next}); ${kill('before')}; ${real(program)} "$@"; status=$?; ${kill('after')}; exit $status`;
  return `if [ -e ${directory}/arm ]; then case "$*" in ${changing}) ${run};; esac; fi\nexec ${real(program)} "$@"`;
};

const scripts = (directory: string): Readonly<Record<string, string>> => ({
  nft: counted(directory, 'nft', '-j\\ -f*'),
  ip: counted(directory, 'ip', '-force*'),
  conntrack: counted(directory, 'conntrack', '-R*'),
});

const isRunning = (pid: number): boolean => existsSync(`/proc/${pid}`);

/** The steps of a round have at most this number of effects, as the test asserts. */
const mostEffects = 8;
const places = ['before', 'after'] as const;
const effects = [...Array(4 * mostEffects * places.length).keys()];
const sample = Math.min(kills, effects.length);

test(
  `the daemon may be killed before and after each effect: ${sample} of ${effects.length} places`,
  {
    timeout: (sample + 10) * hangMs,
  },
  () =>
    withScripts(scripts, async (host, directory) => {
      const arm = `${directory}/arm`;
      const count = `${directory}/count`;
      const site = await openSite(host);
      await rehearse(site);
      let killed = 0;
      for (let index = 0; index < sample; index++) {
        // The first place of the first step is always reached; the seed shifts those of the other steps.
        const round = index % 4;
        const shift = round === 0 ? 0 : seed;
        const place = (Math.floor(index / 4) + shift) % (mostEffects * places.length);
        writeFileSync(count, '0');
        writeFileSync(arm, `${(place >> 1) + 1} ${places[place % 2]}`);
        const pid = host.daemon.pid();
        const waiting = await begin(site, round);
        await Promise.race([waiting, delay(0)]);
        const isOver = async (): Promise<boolean> => {
          if (!isRunning(pid)) return true;
          const { isOpen, hasVif } = stepOf(round);
          return (await kernelState(host)) === site.states.get(`${isOpen} ${hasVif}`);
        };
        await until('the daemon is killed, or the step is over', isOver);
        if (!isRunning(pid)) {
          killed += 1;
          await host.startDaemon();
        }
        rmSync(arm, { force: true });
        await judge(site, round, waiting);
        assert.ok(Number(readFileSync(count, 'utf8')) <= mostEffects, 'there are more effects');
      }
      assert.ok(killed > 0, 'no place was reached');
      printFigures({ places: sample, killed, seed });
    }),
);

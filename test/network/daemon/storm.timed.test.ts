/** Thousands of events about one vif: the other vifs are served as usual, and the cost is bounded. */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { firstValueFrom, skip } from 'rxjs';
import { test } from 'vitest';
import { cpuSeconds } from '../../rig/process.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { openBound } from '../../support/slowness.ts';
import { attachRaw, backend, becomesConnected, place, withNetVm } from './net-vm.ts';

const churn = fileURLToPath(new URL('churn.ts', import.meta.url));
const seconds = 3;
const asFastAsItGoes = 1_000_000;

/** The most CPU that a storm may cost, relative to vifs without a storm; 500 events count as one vif. */
const mostCpu = 3;

type Storm = {
  /** dom0, or the guest itself. */
  readonly writer: 'dom0' | 'guest';
  readonly path: (guest: number) => string;
  /** The values that are written in turn. */
  readonly values: readonly string[];
  readonly perSecond: number;
  /** The vif is attached, but its guest does not connect before the storm. */
  readonly unconnected?: true;
};

const frontend = (guest: number): string => `/local/domain/${guest}/device/vif/0`;

const frontendStates: Storm = {
  writer: 'guest',
  path: (guest) => `${frontend(guest)}/state`,
  values: ['4', '5', '6', '1'],
  perSecond: asFastAsItGoes,
};

const storms: Readonly<Record<string, Storm>> = {
  'a guest rewrites its own node': {
    writer: 'guest',
    path: (guest) => `${frontend(guest)}/ip`,
    values: ['6.6.6.6', '10.0.5.99', 'x'.repeat(1000)],
    perSecond: asFastAsItGoes,
  },
  'a guest closes and opens its frontend': frontendStates,
  'a guest closes and opens its frontend before it was ever connected': {
    ...frontendStates,
    unconnected: true,
  },
  'dom0 writes thousands of times to a backend node that the daemon does not read': {
    writer: 'dom0',
    path: (guest) => `${backend(guest)}/feature-x`,
    values: ['1', '2'],
    perSecond: 2_000,
  },
  'dom0 writes thousands of times to a backend node that the daemon reads': {
    writer: 'dom0',
    path: (guest) => `${backend(guest)}/online`,
    values: ['1'],
    perSecond: 2_000,
  },
};

/** Starts the storm and resolves once it has begun; `ended` resolves with the number of writes. */
const blow = async (host: SimHost, guest: number, storm: Storm) => {
  const { writer, path, values, perSecond } = storm;
  const args = [`${seconds}`, `${perSecond}`, path(guest), ...values];
  const argv = [process.execPath, '--import', 'tsx', churn, ...args];
  // The watch itself causes the first event.
  const begun = firstValueFrom(host.dom0.watch(path(guest)).pipe(skip(10)));
  const output = host.sim.run(argv, { domid: writer === 'dom0' ? 0 : guest });
  const ended = output.then(({ status, stdout, stderr }) => {
    assert.equal(status, 0, stderr);
    return Number(stdout);
  });
  await Promise.race([begun, ended]);
  return { ended };
};

/** Attaches and detaches a vif repeatedly; returns sorted times to connect (ms) and the daemon's CPU (s). */
const serve = async (host: SimHost, guest: number, isEnough: (count: number) => boolean) => {
  const pid = host.daemon.pid();
  const before = cpuSeconds(pid);
  const times: number[] = [];
  while (!isEnough(times.length)) {
    const start = performance.now();
    await attachRaw(host, guest, {});
    await becomesConnected(host, guest);
    times.push(performance.now() - start);
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
  }
  const after = cpuSeconds(pid);
  const cpu = after.own + after.children - before.own - before.children;
  return { times: times.sort((a, b) => a - b), cpu };
};

/** Serves vifs while the storm lasts; also resolves with the number of its writes. */
const serveMeanwhile = async (host: SimHost, guest: number, ended: Promise<number>) => {
  let blows = true;
  const end = ended.finally(() => {
    blows = false;
  });
  // `end` is awaited below, unless something else fails first.
  end.catch(() => undefined);
  const served = await serve(host, guest, () => !blows);
  return { ...served, writes: await end };
};

/** Attaches the storm's vif and pauses its guest's driver, so that only the storm writes the nodes. */
const attachNoisy = async (host: SimHost, { unconnected }: Storm): Promise<number> => {
  const guest = await host.create({ name: 'noisy' });
  if (unconnected) await host.actors.pause(guest);
  await attachRaw(host, guest, {});
  if (!unconnected) await becomesConnected(host, guest);
  if (!unconnected) await host.actors.pause(guest);
  return guest;
};

test.each(Object.entries(storms))('%s: other vifs are served as usual', async (_name, storm) => {
  const meanwhile = async (host: SimHost): Promise<void> => {
    const noisy = await attachNoisy(host, storm);
    const other = await host.create({ name: 'other' });
    // Fewer vifs cost too few ticks of the kernel's clock to be measured well.
    const calm = await serve(host, other, (count) => count === 20);
    const bound = await openBound(1_000);
    const { ended } = await blow(host, noisy, storm);
    const { times, cpu, writes } = await serveMeanwhile(host, other, ended);
    const median = times[Math.floor(times.length / 2)] ?? Number.POSITIVE_INFINITY;
    // Measured: about 0.1 ms for an event, 70 ms for a vif without a storm. A guest's writes cause no events.
    const events = storm.writer === 'dom0' ? writes : 0;
    const perVif = calm.cpu / calm.times.length;
    const ratio = cpu / (perVif * (times.length + events / 500));
    console.info(
      `${writes} writes; ${times.length} vifs, median ${median.toFixed(0)} ms, last ${times.at(-1)?.toFixed(0)}; CPU ${cpu.toFixed(2)} s, ${ratio.toFixed(2)} times that of a calm (${perVif.toFixed(3)} a vif)`,
    );
    assert.ok(writes >= 1_000, `${writes} writes are no storm`);
    await bound.assertKept(median, 'ms until a vif is connected');
    assert.ok(ratio < mostCpu, `${ratio} times the CPU of as many vifs in a calm`);
  };
  await withNetVm(meanwhile, { actorProcess: true });
});

/** The time until a change of one VM's policy is in force, with one vif and with a thousand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { attachVifs, becomeConnected, devidsUpTo } from '../network/daemon/many-vifs.ts';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { until, untilFound } from '../support/until.ts';
import { untilIdle } from './footprint.ts';
import { lessIsBetter, type Metric } from './metric.ts';
import { mustRun } from './must-run.ts';

const rounds = 15;

const byte = (value: number): string => value.toString(16).padStart(2, '0');

const addressOf = (devid: number): string => `10.7.${devid >> 8}.${devid & 0xff}`;

const nodesOf = (devid: number) => ({
  mac: `00:16:3e:09:${byte(devid >> 8)}:${byte(devid & 0xff)}`,
  ip: addressOf(devid),
});

/** Whether the process has joined a netlink group of its network namespace. */
const isListening = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/net/netlink`, 'latin1')
    .split('\n')
    .some((row) => {
      const [, , portid, groups = '0'] = row.trim().split(/\s+/);
      return Number(portid) === pid && Number.parseInt(groups, 16) !== 0;
    });

/** Records the times at which the firewall's map of chains for VMs changes. */
const watchVerdicts = async ({ sim, netVm }: SimHost) => {
  const argv = sim.inNamespace(namespaceOf(netVm), ['nft', 'monitor', 'elements']);
  // A time is taken when a line comes through the pipe. Like all programs of the rig, the monitor ends with
  // this process.
  const monitor = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...argv], {
    env: { ...process.env, ...sim.env({ domid: netVm }) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(monitor, 'exit');
  const times: number[] = [];
  monitor.stdout.on('data', (chunk: Buffer) => {
    if (chunk.includes('vifwatch out')) times.push(performance.now());
  });
  await until('nft monitor listens', () => {
    mustRun(monitor);
    return isListening(monitor.pid ?? 0);
  });
  return {
    /** Waits for the first change after `start`. */
    firstAfter: (start: number): Promise<number> =>
      untilFound('the policy is in force', () => {
        mustRun(monitor);
        return times.find((time) => time > start);
      }),
    stop: async () => {
      monitor.kill('SIGKILL');
      await ended;
    },
  };
};

/** Milliseconds from the change of the policy file to the nft transaction, each time on an idle host. */
const timesOf = async (host: SimHost): Promise<readonly number[]> => {
  const pid = host.daemon.pid();
  const verdicts = await watchVerdicts(host);
  try {
    const times: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      await untilIdle(pid);
      const profile = round % 2 === 0 ? 'isolated' : 'lan-only';
      const start = performance.now();
      writeFileSync(`${host.daemon.policies}/${addressOf(0)}.toml`, `profile = "${profile}"\n`);
      times.push((await verdicts.firstAfter(start)) - start);
    }
    // The first round warms up caches.
    return times.slice(1);
  } finally {
    await verdicts.stop();
  }
};

/** Measures with this number of vifs. A thousand vifs take some ten seconds, mostly for the rig's links. */
const measure = async (vifs: number): Promise<readonly number[]> => {
  const host = await startSimHost({
    store: 'xenstored',
    actorProcess: true,
    idleGuests: true,
    quota: { nodes: 60 * vifs + 1000, watches: 20 * vifs + 1000 },
  });
  try {
    await host.startDaemon();
    const guest = await host.create({ name: 'bench' });
    const devids = devidsUpTo(vifs);
    await attachVifs(host, guest, devids, nodesOf);
    await becomeConnected(host, guest, devids);
    return await timesOf(host);
  } finally {
    await host.close();
  }
};

/** Measures the metric `policy_change_1000`. */
export const measurePolicyChange = async (): Promise<Metric> => {
  const [alone, among] = [await measure(1), await measure(1000)];
  return lessIsBetter('ms', among, 'with 1 vif', alone);
};

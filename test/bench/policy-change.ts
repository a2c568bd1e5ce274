/** How long a change to one VM's policy takes to come into force, among one VM and among a thousand. */
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { attachCrowd } from '../daemon/crowd.ts';
import { backend } from '../daemon/net-vm.ts';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { untilIdle } from './footprint.ts';
import { lessIsBetter, type Metric, median } from './metric.ts';

const rounds = 15;
const changeMs = 10_000;

const byte = (value: number): string => value.toString(16).padStart(2, '0');

const addressOf = (devid: number): string => `10.7.${devid >> 8}.${devid & 0xff}`;

const nodesOf = (devid: number) => ({
  mac: `00:16:3e:09:${byte(devid >> 8)}:${byte(devid & 0xff)}`,
  ip: addressOf(devid),
});

/** Resolves with the time at which the firewall leads the VM to another chain. */
const watchVerdicts = (host: SimHost) => {
  const [file = '', ...args] = host.sim.inNamespace(`dom${host.netVm}`, [
    'nft',
    'monitor',
    'elements',
  ]);
  const monitor = execa(file, args, { buffer: false, reject: false });
  let changed = (_at: number): void => undefined;
  monitor.stdout.on('data', (chunk: Buffer) => {
    if (chunk.includes('vifwatch out')) changed(performance.now());
  });
  const next = (): Promise<number> =>
    new Promise((resolve, reject) => {
      const alarm = setTimeout(() => reject(new Error('no change of policy')), changeMs);
      changed = (at) => {
        clearTimeout(alarm);
        resolve(at);
      };
    });
  return { next, stop: () => monitor.kill() };
};

/** A thousand take some ten seconds, most of which the rig needs to make their links. */
const connected = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
): Promise<void> => {
  const deadline = performance.now() + 60_000;
  for (const devid of devids) {
    while ((await host.read(`${backend(guest, devid)}/state`)) !== '4') {
      if (performance.now() > deadline) throw new Error(`vif ${guest}/${devid} is not connected`);
      await delay(50);
    }
  }
};

/** Milliseconds from the change of the file to the transaction, each time on a host at rest. */
const measure = async (vifs: number): Promise<number> => {
  const host = await startSimHost({
    ...{ store: 'xenstored', actorProcess: true, idleGuests: true },
    quota: { nodes: 60 * vifs + 1000, watches: 20 * vifs + 1000 },
  });
  try {
    await host.startDaemon();
    const guest = await host.create({ name: 'bench' });
    const devids = Array.from({ length: vifs }, (_, devid) => devid);
    await attachCrowd(host, guest, devids, nodesOf);
    await connected(host, guest, devids);
    const pid = host.daemon.pid();
    const verdicts = watchVerdicts(host);
    const times: number[] = [];
    for (let round = 0; round <= rounds; round++) {
      await untilIdle(pid);
      const profile = round % 2 === 0 ? 'isolated' : 'lan-only';
      const change = verdicts.next();
      const start = performance.now();
      writeFileSync(`${host.daemon.policies}/${addressOf(0)}.toml`, `profile = "${profile}"\n`);
      // The first one warms up caches.
      const took = (await change) - start;
      if (round > 0) times.push(took);
    }
    verdicts.stop();
    return median(times);
  } finally {
    await host.close();
  }
};

export const measurePolicyChange = async (): Promise<Metric> => {
  const [alone, among] = [await measure(1), await measure(1000)];
  return lessIsBetter('ms', among, 'with 1 vif', alone);
};

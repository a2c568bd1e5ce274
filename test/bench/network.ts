/**
 * The network daemon compared with Xen's `xl devd` and vif-route: the times of vifs, and the daemon's cost.
 */
import assert from 'node:assert/strict';
import { rssMiB } from '../rig/process.ts';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { startXlDevd } from '../rig/sim/xl-devd.ts';
import { countingSwitches, untilIdle, wakeupsPerSecond } from './footprint.ts';
import { lessIsBetter, type Metrics } from './metric.ts';
import { measurePolicyChange } from './policy-change.ts';
import { upAndDown } from './vif-times.ts';

const rounds = 31;
const roundsOf40 = 9;
const idleSeconds = 30;
const quota = { nodes: 9000, watches: 1000 };
const devd = 'xl devd, vif-route';

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const measureTimes = async (host: SimHost, pid: number) => {
  const bench = { host, guest: await host.create({ name: 'bench' }), pid };
  // The first round warms up caches on both sides.
  await upAndDown(bench, [0]);
  const single = [];
  for (const _ of range(rounds)) single.push(await upAndDown(bench, [0]));
  const many = [];
  for (const _ of range(roundsOf40)) many.push(await upAndDown(bench, range(40)));
  return {
    up1: single.map(({ upMs }) => upMs),
    down1: single.flatMap(({ downMs }) => downMs),
    up40: many.map(({ upMs }) => upMs),
  };
};

const withHost = async <T>(body: (host: SimHost) => Promise<T>): Promise<T> => {
  const host = await startSimHost({
    store: 'xenstored',
    quota,
    actorProcess: true,
    idleGuests: true,
  });
  try {
    return await body(host);
  } finally {
    await host.close();
  }
};

/** The commands that show an operator without vifwatch the same. */
const lookByHand = [
  'xenstore-ls /local/domain/2/backend/vif >/dev/null',
  'ip route >/dev/null',
  'nft list ruleset >/dev/null',
].join('; ');

/** A polling watcher as in many home-made driver domains, for ten seconds. */
const pollingSeconds = 10;
const pollingWatcher = `for i in $(seq ${pollingSeconds}); do xenstore-ls backend/vif >/dev/null 2>&1; sleep 1; done`;

const timesOf = async (host: SimHost, argv: readonly string[]): Promise<readonly number[]> => {
  const times = [];
  for (const _ of range(rounds)) {
    const start = performance.now();
    const { status, stderr } = await host.inNetVm(argv);
    times.push(performance.now() - start);
    assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
  }
  return times;
};

const measureVifwatch = async (host: SimHost) => {
  await host.startDaemon();
  const pid = host.daemon.pid();
  const times = await measureTimes(host, pid);
  // The garbage collector works for some more seconds.
  await untilIdle(pid, 5_000);
  const rss = rssMiB(pid);
  const wakeups = await wakeupsPerSecond(pid, idleSeconds);
  const poller = await host.inNetVm([...countingSwitches, 'sh', '-c', pollingWatcher]);
  const pollerWakeups = Number(poller.stdout) / pollingSeconds;
  const status = await timesOf(host, ['vifwatch', 'status']);
  const byHand = await timesOf(host, ['sh', '-c', lookByHand]);
  return { times, rss, wakeups, pollerWakeups, status, byHand };
};

const measureDevd = async (host: SimHost) => {
  const process = startXlDevd(host.sim, host.netVm);
  const times = await measureTimes(host, process.pid);
  return { times, rss: rssMiB(process.pid) };
};

/** Takes some minutes. @param say prints the next step */
export const measureNetwork = async (say: (text: string) => void): Promise<Metrics> => {
  say(`xl devd with Xen's vif-route: 1 vif x ${rounds}, 40 vifs x ${roundsOf40}`);
  const peer = await withHost(measureDevd);
  say(`vifwatch: 1 vif x ${rounds}, 40 vifs x ${roundsOf40}; then idle for ${idleSeconds} s`);
  const own = await withHost(measureVifwatch);
  say('a change of policy with 1 vif and with 1000');
  const policyChange = await measurePolicyChange();
  const poller = 'a watcher polling each second';
  return {
    vif_up_1: lessIsBetter('ms', own.times.up1, devd, peer.times.up1),
    vif_up_40: lessIsBetter('ms', own.times.up40, devd, peer.times.up40),
    vif_down_1: lessIsBetter('ms', own.times.down1, devd, peer.times.down1),
    daemon_rss: lessIsBetter('MiB', [own.rss], 'xl devd', [peer.rss]),
    idle_wakeups: lessIsBetter('1/s', [own.wakeups], poller, [own.pollerWakeups]),
    status_cli: lessIsBetter('ms', own.status, 'xenstore-ls, ip, nft by hand', own.byHand),
    policy_change_1000: policyChange,
  };
};

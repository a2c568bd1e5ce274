/** The costs of calls between VMs: throughput, round trips, and calls of newly started processes. */
import { rssMiB } from '../rig/process.ts';
import { startTied } from '../rig/sim/tied-process.ts';
import { untilIdle } from './footprint.ts';
import { type IpcRig, type Received, startIpcRig } from './ipc-rig.ts';
import { lessIsBetter, type Metric, type Metrics, moreIsBetter } from './metric.ts';
import { onOneProcessor } from './one-processor.ts';
import { measurePolicyEvaluation } from './policy-evaluation.ts';

const rounds = 5;
const streamSeconds = 1;
const together = { streams: 16, seconds: 3 };
const trips = 3_000;
const freshCalls = 100;

const settleMs = 2_000;

const proxies = 'two vchan-socket-proxies';

const gigabytesPerSecond = ({ bytes, seconds }: Received): number => bytes / seconds / 1e9;

const throughAgents = async ({ caller, socket, received }: IpcRig): Promise<number> => {
  await caller('stream', socket, streamSeconds, 1);
  const [one] = await received(1);
  return gigabytesPerSecond(one as Received);
};

/** Ends the proxies before it asks the sink, because proxies do not always pass on the end of a stream. */
const throughProxies = async ({ caller, received, proxied }: IpcRig): Promise<number> => {
  await proxied('sink', (path) => caller('raw', path, streamSeconds));
  const [one] = await received(1);
  return gigabytesPerSecond(one as Received);
};

/** Measures both by turns, so that other load on the machine affects both alike. */
const inTurns = async (
  own: () => Promise<number>,
  peer: () => Promise<number>,
): Promise<{ readonly own: number[]; readonly peer: number[] }> => {
  const turns = { own: [] as number[], peer: [] as number[] };
  for (let round = 0; round < rounds; round += 1) {
    turns.own.push(await own());
    turns.peer.push(await peer());
  }
  return turns;
};

const measureStream = async (rig: IpcRig): Promise<Metric> => {
  const { own, peer } = await inTurns(
    () => throughAgents(rig),
    () => throughProxies(rig),
  );
  return moreIsBetter('GB/s', own, proxies, peer);
};

/** The throughput of the slowest stream as a share of the mean. */
const measureFairness = async ({ caller, socket, received }: IpcRig): Promise<Metric> => {
  await caller('stream', socket, together.seconds, together.streams);
  const bytes = (await received(together.streams)).map((stream) => stream.bytes);
  const mean = bytes.reduce((sum, count) => sum + count, 0) / bytes.length;
  return moreIsBetter('of a fair share', [Math.min(...bytes) / mean], 'the fair share', [1]);
};

/** The cost of the link and its protocol: the caller itself is an end of the link. */
const measureLinkTrip = async ({ linkTrip, ringTrip }: IpcRig): Promise<Metric> => {
  const { own, peer } = await inTurns(
    () => linkTrip(trips),
    () => ringTrip(trips),
  );
  return lessIsBetter('µs', own, 'a bare ring between two processes', peer);
};

/** The round trip of a program, with two more hops than a link in both cases. */
const measureProgramTrip = async ({ caller, socket, proxied }: IpcRig): Promise<Metric> => {
  const { own, peer } = await inTurns(
    () => caller('round-trips', socket, trips) as Promise<number>,
    () => proxied('echo', (path) => caller('direct-round-trips', path, trips)) as Promise<number>,
  );
  return lessIsBetter('µs', own, proxies, peer);
};

const measureFresh = async ({ caller, socket, service }: IpcRig): Promise<Metric> => {
  const times = await caller('fresh', socket, freshCalls, service('true'));
  const { calls, starts } = times as { calls: number[]; starts: number[] };
  return lessIsBetter('ms', calls, 'fork and exec by node itself', starts);
};

const rssOfBareNode = async (): Promise<number> => {
  const program = ['--max-semi-space-size=1', '-e', 'setInterval(() => {}, 1e9)'];
  const node = startTied([process.execPath, ...program], { env: {}, logFile: '/dev/null' });
  try {
    await untilIdle(node.pid, settleMs);
    return rssMiB(node.pid);
  } finally {
    await node.kill();
  }
};

/** The resident memory of the larger agent, and of an idle Node process as its peer. */
const measureRss = async ({ server, client }: IpcRig): Promise<Metric> => {
  const pids = [server.pid(), client.pid()];
  for (const pid of pids) await untilIdle(pid, settleMs);
  const bare = await rssOfBareNode();
  return lessIsBetter('MiB', [Math.max(...pids.map(rssMiB))], 'node that does nothing', [bare]);
};

const withRig = async <T>(body: (rig: IpcRig) => Promise<T>): Promise<T> => {
  const rig = await startIpcRig();
  try {
    // An answered call proves that the link is up.
    await rig.caller('round-trips', rig.socket, 1);
    return await body(rig);
  } finally {
    await rig.close();
  }
};

/** Takes about a minute. @param say prints the next step */
export const measureCalls = async (say: (text: string) => void): Promise<Metrics> => {
  const measured = await withRig(async (rig) => {
    say('agents: idle');
    const rss = await measureRss(rig);
    say(`agents: one stream and two vchan-socket-proxies, ${rounds} x ${streamSeconds} s each`);
    const stream = await measureStream(rig);
    say(`agents: ${together.streams} streams at once, ${together.seconds} s`);
    const fairness = await measureFairness(rig);
    say(`agents: round trips, ${rounds} x ${trips}`);
    const programTrip = await measureProgramTrip(rig);
    say(`agents: calls of fresh processes, ${freshCalls}`);
    const fresh = await measureFresh(rig);
    return {
      stream_vs_proxy: stream,
      streams_16_fairness: fairness,
      rtt_vs_proxy: programTrip,
      call_fresh: fresh,
      agent_rss: rss,
    };
  });
  say(`agents: round trips on one processor, ${rounds} x ${trips}`);
  const linkTrip = await onOneProcessor(() => withRig(measureLinkTrip));
  say('verdicts with 10 000 rules');
  return { ...measured, rtt_vs_ring: linkTrip, policy_p99: measurePolicyEvaluation() };
};

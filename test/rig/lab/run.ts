import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { scenarios } from '../../scenario/scenarios.ts';
import { attachedVifIsClosed } from './attached-scenario.ts';
import { cacheDirectory } from './cache.ts';
import { type Facts, openStopwatch, type Stopwatch, timed } from './facts.ts';
import { dom0StaysOutOfIt, hostBootsInParallel, hostFromOneMeshFile } from './host-scenario.ts';
import { agentServiceFailsLoudly, vmsCallEachOther } from './ipc-scenarios.ts';
import { type LabHost, openLab } from './lab-host.ts';
import { brokenServiceFailsLoudly, vmLivesThroughEverything } from './own-scenarios.ts';
import { say, step } from './progress.ts';
import { vmRebootsByItself } from './reboot-scenario.ts';
import { relayGivesWayToDirectPair } from './relay-scenario.ts';
import { readySnapshot, type Snapshot } from './snapshot.ts';
import { stockPeerInteroperates } from './stock-peer.ts';

type Scenario = (host: LabHost, stopwatch: Stopwatch) => Promise<void>;

/** All scenarios by name: those of the fast rig, and those that need OpenRC or a real guest. */
const all: Readonly<Record<string, Scenario>> = {
  ...scenarios,
  vmLivesThroughEverything,
  attachedVifIsClosed,
  brokenServiceFailsLoudly,
  agentServiceFailsLoudly,
  vmsCallEachOther,
  stockPeerInteroperates,
  hostFromOneMeshFile,
  dom0StaysOutOfIt,
  relayGivesWayToDirectPair,
  hostBootsInParallel,
  vmRebootsByItself,
};

const network = [
  'brokenServiceFailsLoudly',
  'vmLivesThroughEverything',
  'attachedVifIsClosed',
  'guestThatRewritesItsAddressGainsNothing',
  'noSpoofedFramePasses',
];
const ipc = ['agentServiceFailsLoudly', 'stockPeerInteroperates', 'vmsCallEachOther'];
const host = [
  'hostFromOneMeshFile',
  'dom0StaysOutOfIt',
  'relayGivesWayToDirectPair',
  'hostBootsInParallel',
  'vmRebootsByItself',
];

/** The scenarios for `npm test`, chosen to fit its time. */
const test = [
  'vmLivesThroughEverything',
  'guestThatRewritesItsAddressGainsNothing',
  'hostFromOneMeshFile',
];

/** The groups of scenarios by name. */
const groups: ReadonlyMap<string, readonly string[]> = new Map([
  ['network', network],
  ['ipc', ipc],
  ['host', host],
  ['test', test],
  ['all', [...network, 'daemonMayDieBetweenAnyTwoSteps', ...ipc, ...host]],
]);

export type Outcome = {
  readonly facts: Facts;
  /** The error text of each failed scenario, by name. */
  readonly failures: Readonly<Record<string, string>>;
};

/** The directory of the last run's logs; VIFWATCH_LAB_LOGS overrides it. */
export const logDirectory = (): string =>
  resolve(process.env['VIFWATCH_LAB_LOGS'] ?? join(cacheDirectory(), 'logs'));

/**
 * Runs scenarios one after the other; after a failure, the next one gets a new host.
 * @param names scenarios and groups; if empty, the group `network`, which takes three minutes
 * @throws Error for an unknown scenario, or if no host can be started
 */
export const runScenarios = async (names: readonly string[]): Promise<Outcome> => {
  const wanted = scenariosNamed(names.length > 0 ? names : ['network']);
  const chosen = wanted.map((name) => ({ name, scenario: find(name) }));
  const snapshot = await readySnapshot();
  const stopwatch = openStopwatch();
  stopwatch.note('boot_s', snapshot.bootSeconds);
  await rm(logDirectory(), { recursive: true, force: true });
  const failures: Record<string, string> = {};
  let host: LabHost | undefined;
  for (const { name, scenario } of chosen) {
    host ??= await openReady(snapshot, stopwatch, join(logDirectory(), name));
    const current = host;
    const failure = await failureOf(name, () =>
      stopwatch.time(`${name}_s`, () => scenario(current, stopwatch)),
    );
    if (failure === undefined) continue;
    failures[name] = failure;
    await host.close();
    host = undefined;
  }
  await host?.close();
  const passed = chosen.length - Object.keys(failures).length;
  return { facts: { scenarios: passed, ...stopwatch.facts() }, failures };
};

/** Replaces groups by the names of their scenarios. */
export const scenariosNamed = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => groups.get(name) ?? name);

const find = (name: string): Scenario => {
  const scenario = all[name];
  if (scenario !== undefined) return scenario;
  const known = [...groups.keys(), ...Object.keys(all)];
  throw new Error(`unknown scenario ${name}; known scenarios and groups: ${known.join(', ')}`);
};

const openReady = async (
  snapshot: Snapshot,
  stopwatch: Stopwatch,
  logs: string,
): Promise<LabHost> => {
  const host = await stopwatch.time('resume_s', () => openLab(snapshot, logs));
  const timedHost = timed(host, stopwatch);
  try {
    await step('starting vifwatch in net-vm', timedHost.startDaemon);
  } catch (error) {
    await host.close();
    throw error;
  }
  return timedHost;
};

const failureOf = async (
  name: string,
  scenario: () => Promise<void>,
): Promise<string | undefined> => {
  try {
    await step(name, scenario);
    return undefined;
  } catch (error) {
    const text = `${error instanceof Error ? error.stack : error}`;
    say(`${name} FAILED: ${text}`);
    return text;
  }
};

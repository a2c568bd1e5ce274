import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { scenarios } from '../../scenario/scenarios.ts';
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

/** Every scenario that can be asked for; those of the fast rig, and those that need OpenRC or a real guest. */
const all: Readonly<Record<string, Scenario>> = {
  ...scenarios,
  vmLivesThroughEverything,
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
  'guestThatRewritesItsAddressGainsNothing',
  'everyKindOfLiePassesNothing',
];
const ipc = ['agentServiceFailsLoudly', 'stockPeerInteroperates', 'vmsCallEachOther'];
const host = [
  'hostFromOneMeshFile',
  'dom0StaysOutOfIt',
  'relayGivesWayToDirectPair',
  'hostBootsInParallel',
  'vmRebootsByItself',
];

/** As much as the time of all tests together allows: the network, calls and a whole host, once each. */
const test = [
  'vmLivesThroughEverything',
  'guestThatRewritesItsAddressGainsNothing',
  'hostFromOneMeshFile',
];

/** What can be asked for in one word. */
const groups: ReadonlyMap<string, readonly string[]> = new Map([
  ['network', network],
  ['ipc', ipc],
  ['host', host],
  ['test', test],
  ['all', [...network, 'daemonMayDieBetweenAnyTwoSteps', ...ipc, ...host]],
]);

export type Outcome = {
  readonly facts: Facts;
  /** What went wrong, by scenario. */
  readonly failures: Readonly<Record<string, string>>;
};

/** Where the last run's logs are; VIFWATCH_LAB_LOGS names another place. */
export const logDirectory = (): string =>
  resolve(process.env['VIFWATCH_LAB_LOGS'] ?? join(cacheDirectory(), 'logs'));

/**
 * Runs scenarios one after the other, by name or group; without names those of the network, which take three minutes. After a failure the
 * others go on with a fresh host. Throws when there is no such scenario or no host can be had.
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

/** The names of scenarios that groups and names stand for. */
export const scenariosNamed = (names: readonly string[]): readonly string[] =>
  names.flatMap((name) => groups.get(name) ?? name);

const find = (name: string): Scenario => {
  const scenario = all[name];
  if (scenario !== undefined) return scenario;
  const known = [...groups.keys(), ...Object.keys(all)];
  throw new Error(`no scenario ${name}; there are ${known.join(', ')}`);
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

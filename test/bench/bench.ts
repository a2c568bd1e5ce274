/**
 * `npm run bench` measures vifwatch and its peers on the fast rig in one run; `npm run bench -- network
 * calls` runs only these parts. It exits with 1 if a promise of targets.toml is broken. It leaves nothing
 * behind, even if a signal ends it.
 */
import { constants } from 'node:os';
import { measureCalls } from './calls.ts';
import { measureForwarding } from './forwarding.ts';
import { judge } from './judge.ts';
import type { Metrics } from './metric.ts';
import { measureNetwork } from './network.ts';
import { printJudgement, printTable } from './report.ts';
import { loadTargets, type PartName, partNames, targetsOf } from './targets.ts';

const say = (text: string): void => console.error(`bench: ${text}`);

const measureParts: Readonly<Record<PartName, (progress: typeof say) => Promise<Metrics>>> = {
  network: measureNetwork,
  forwarding: measureForwarding,
  calls: measureCalls,
};

const isPart = (name: string): name is PartName => (partNames as readonly string[]).includes(name);

/** The named parts, or all parts if no part is named. */
const partsOf = (names: readonly string[]): readonly PartName[] => {
  if (names.length === 0) return partNames;
  const parts = names.filter(isPart);
  if (parts.length === names.length) return parts;
  say(`usage: npm run bench [-- PART...]; parts: ${partNames.join(', ')}`);
  process.exit(64);
};

// `atEnd` handles SIGTERM and exits, but not these signals.
for (const signal of ['SIGHUP', 'SIGINT'] as const)
  process.once(signal, () => process.exit(128 + constants.signals[signal]));

const parts = partsOf(process.argv.slice(2));
const targets = targetsOf(loadTargets(), parts);
let metrics: Metrics = {};
for (const part of parts) metrics = { ...metrics, ...(await measureParts[part](say)) };
printTable(metrics, targets);
const judgement = judge(metrics, targets);
printJudgement(judgement);
if (judgement.misses.length > 0) process.exitCode = 1;
console.log(JSON.stringify(metrics));

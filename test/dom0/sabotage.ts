/** Sabotage of a host, and the findings that an audit must have. */
import assert from 'node:assert/strict';
import { type Dom0, vms } from './dom0.ts';

export type Sabotage = {
  /** The codes of its findings; `what` matches their texts and no others. */
  readonly codes: readonly string[];
  readonly what: RegExp;
  /** Lines of sh: for dom0, for a domain, for dom0's network namespace, or just before the audit. */
  readonly dom0?: string;
  readonly guest?: readonly [number, string];
  readonly network?: string;
  readonly inside?: string;
  /** Undoes it in the same place; dom0 undoes a guest's acts. */
  readonly mend?: string;
};

export type Finding = { readonly code: string; readonly what: string; readonly do: string };

/** Runs a line of sh in dom0's network namespace; the line must succeed. */
export type InNetwork = (line: string) => Promise<void>;

type Domids = readonly [net: number, sa: number, mgmt: number, workload: number];

/** The domids of the table's VMs, in the table's order. */
export const domidsOf = (dom0: Dom0): Domids => {
  const [net = 0, sa = 0, mgmt = 0, workload = 0] = vms.map(dom0.domidOf);
  return [net, sa, mgmt, workload];
};

/** Commits all sabotages; resolves with the lines to run just before the audit. */
export const commit = async (
  dom0: Dom0,
  inNetwork: InNetwork,
  sabotages: readonly Sabotage[],
): Promise<string> => {
  const lines = (place: 'dom0' | 'network' | 'inside'): string =>
    sabotages.flatMap((sabotage) => sabotage[place] ?? []).join('\n');
  await dom0.sh(lines('dom0'));
  for (const { guest } of sabotages) if (guest) await dom0.sh(guest[1], guest[0]);
  await inNetwork(lines('network'));
  return lines('inside');
};

/** Undoes all sabotages. */
export const undo = async (
  dom0: Dom0,
  inNetwork: InNetwork,
  sabotages: readonly Sabotage[],
): Promise<void> => {
  const lines = (isInNetwork: boolean): string =>
    sabotages
      .filter(({ network: line }) => (line !== undefined) === isInNetwork)
      .flatMap(({ mend }) => mend ?? [])
      .join('\n');
  await dom0.sh(lines(false));
  await inNetwork(lines(true));
};

/** Asserts that each sabotage has its findings, and that there are no others. */
export const assertFound = (sabotages: readonly Sabotage[], found: readonly Finding[]): void => {
  const shown = JSON.stringify(found, undefined, 1);
  const isOf = ({ codes, what }: Sabotage, finding: Finding): boolean =>
    codes.includes(finding.code) && what.test(finding.what);
  for (const sabotage of sabotages) {
    const codes = found.filter((finding) => isOf(sabotage, finding)).map(({ code }) => code);
    const { what } = sabotage;
    assert.deepEqual(codes.sort(), [...sabotage.codes].sort(), `${what} in ${shown}`);
  }
  const others = found.filter((finding) => !sabotages.some((sabotage) => isOf(sabotage, finding)));
  assert.deepEqual(others, []);
  assert.equal(found.length, sabotages.flatMap(({ codes }) => codes).length, shown);
};

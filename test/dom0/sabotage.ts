/** What an audit must find. */
import { type Dom0, vms } from './dom0.ts';

export type Sabotage = {
  readonly codes: readonly string[];
  readonly what: RegExp;
  /** What dom0 does, or another domain, or what is done in dom0's network, or just before the audit. */
  readonly dom0?: string;
  readonly guest?: readonly [number, string];
  readonly network?: string;
  readonly inside?: string;
  /** What undoes it. */
  readonly mend?: string;
};

type Domids = readonly [net: number, sa: number, mgmt: number, workload: number];

/** Of the VMs of the table, in its order. */
export const domidsOf = (dom0: Dom0): Domids => {
  const [net = 0, sa = 0, mgmt = 0, workload = 0] = vms.map(dom0.domidOf);
  return [net, sa, mgmt, workload];
};

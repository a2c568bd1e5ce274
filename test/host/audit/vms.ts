/** Runs `vifwatch audit` in the VMs of the fast rig. */
import { rmSync, writeFileSync } from 'node:fs';
import type { AuditFinding } from '../../../src/host/audit/finding.ts';
import type { Permission } from '../../../src/xen/xenstore.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;

/** A VM, its configuration directory and its runtime directory. */
export type Place = { readonly domid: number; readonly etc: string; readonly runtime: string };

/** A VM that has no agent. */
export const plainPlace = ({ sim }: SimHost, domid: number): Place => ({
  domid,
  etc: `${sim.directory}/etc${domid}`,
  runtime: `${sim.directory}/run${domid}`,
});

type Audit = {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
};

/** Runs the audit in the VM, with `commandLine` as its kernel's command line. */
export const runAudit = async (
  { sim }: SimHost,
  { domid, etc, runtime }: Place,
  commandLine: string,
  args: readonly string[] = [],
  environment: readonly string[] = [],
): Promise<Audit> => {
  const file = `${sim.directory}/cmdline${domid}`;
  writeFileSync(file, `console=hvc0 ${commandLine}\n`);
  const command = [process.execPath, main, '--config', `${etc}/vifwatch.toml`];
  const argv = ['env', ...environment, ...command, '--runtime', runtime, 'audit', ...args];
  const script = 'mount --bind "$0" /proc/cmdline && exec "$@"';
  const booted = ['unshare', '--mount', 'sh', '-c', script, file, ...argv];
  try {
    return await sim.run(sim.inNamespace(namespaceOf(domid), booted), { domid });
  } finally {
    rmSync(file);
  }
};

/**
 * Runs the audit with `--json` and resolves with its findings.
 * @throws Error if it wrote to stderr, or if its exit status does not fit the findings
 */
export const findingsOf = async (
  host: SimHost,
  place: Place,
  commandLine = '',
): Promise<readonly AuditFinding[]> => {
  const { status, stdout, stderr } = await runAudit(host, place, commandLine, ['--json']);
  if (stderr !== '') throw new Error(stderr);
  const { findings } = JSON.parse(stdout) as { findings: readonly AuditFinding[] };
  if (status !== (findings.length === 0 ? 0 : 1)) throw new Error(`exit status ${status}`);
  return findings;
};

const permission = (text: string): Permission => ({
  domid: Number(text.slice(1)),
  read: 'rb'.includes(text[0] ?? ''),
  write: 'wb'.includes(text[0] ?? ''),
});

/** Parses permissions as xenstore-chmod takes them, such as `n3 r2`. */
export const permissions = (text: string): readonly Permission[] => text.split(' ').map(permission);

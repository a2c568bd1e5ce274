/** A host that dom0's generated scripts boot from `mesh/mesh.toml`. */
import assert from 'node:assert/strict';
import { applicationVms } from './application-vms.ts';
import { must, type Run } from './command.ts';
import type { LabHost } from './lab-host.ts';
import { labHangMs, until } from './until.ts';

/** The VMs of the mesh; the snapshot has the same VMs. */
const meshVms = ['net-vm', ...applicationVms.map(({ name }) => name)] as const;

/** The shells of dom0: Alpine's and Debian's. */
export type Shell = 'ash' | 'dash';

/** Runs one of dom0's generated scripts. */
export const inMesh = (host: LabHost, shell: Shell, ...argv: readonly string[]) => {
  const [script = '', ...options] = argv;
  const interpreter = shell === 'ash' ? ['busybox', 'ash'] : ['dash'];
  return host.inDom0([...interpreter, `/mesh/dom0/${script}`, ...options]);
};

/** Brings dom0 to its state after its own boot: no VMs, and no xenstore nodes about VMs. */
const clearHost = async ({ inDom0 }: LabHost): Promise<void> => {
  const list = ['sh', '-c', 'xl list | awk \'NR > 1 && $1 != "Domain-0" { print $1 }\''];
  // net-vm goes last, because its daemon takes down the vifs of the others.
  const running = (await must(inDom0, list)).split('\n').filter((name) => name !== '');
  for (const name of running.sort((a, b) => Number(a === 'net-vm') - Number(b === 'net-vm')))
    await must(inDom0, ['xl', 'destroy', name]);
  await inDom0(['xenstore-rm', '/ipc']);
};

/** Unpacks the compiled mesh in dom0, from the disk that the VMs use, too. */
const unpackMesh = ({ inDom0 }: LabHost): Promise<string> =>
  must(inDom0, ['sh', '-c', 'dd if=/dev/sr0 bs=64k skip=1 2>/dev/null | tar -x -m -C / ./mesh']);

/** Boots all VMs with dom0's script; resolves with the script's seconds when all VMs answer. */
export const bootMesh = async (
  host: LabHost,
  shell: Shell,
  ...options: readonly string[]
): Promise<number> => {
  await clearHost(host);
  await unpackMesh(host);
  // In the emulator, net-vm's vifwatch may take longer than the default of one minute.
  const timeout = ['--timeout', `${labHangMs / 1000}`];
  const argv = ['autostart', ...timeout, ...options];
  const { status, stdout, stderr, seconds } = await inMesh(host, shell, ...argv);
  assert.equal(status, 0, `${stdout}${stderr}`);
  await Promise.all(meshVms.map((vm) => host.register(vm)));
  return seconds;
};

type Peer = {
  readonly name: string;
  readonly state: string;
  readonly route?: string;
  readonly relayed?: number;
};

/** The peers that `vifwatch peers` reports in a VM; empty if its agent does not answer. */
export const peersOf = async (host: LabHost, vm: string): Promise<readonly Peer[]> => {
  const { stdout } = await host.inVm(vm, ['nice', 'vifwatch', 'peers', '--json']);
  return stdout === '' ? [] : (JSON.parse(stdout) as { readonly peers: readonly Peer[] }).peers;
};

/** Waits until a VM has direct links with these peers. */
export const becomesLinked = (
  host: LabHost,
  vm: string,
  ...names: readonly string[]
): Promise<true> =>
  until(
    async () => {
      const up = (await peersOf(host, vm)).filter(
        ({ state, route }) => state === 'up' && route !== 'relay',
      );
      return names.every((name) => up.some((peer) => peer.name === name)) ? true : undefined;
    },
    () => `${vm} has no direct link with at least one of ${names.join(', ')}`,
  );

/** Runs an audit in dom0 or in a VM; resolves with the codes of its findings. */
const findingsOf = async (run: Run, argv: readonly string[]): Promise<readonly string[]> => {
  const { status, stdout, stderr } = await run([...argv, '--json']);
  assert.ok(status === 0 || status === 1, `status ${status}: ${stdout}${stderr}`);
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly { code: string }[] };
  assert.equal(status, findings.length === 0 ? 0 : 1);
  return findings.map(({ code }) => code);
};

/** Runs dom0's audit script in a shell; resolves with the codes of its findings. */
export const auditDom0 = (host: LabHost, shell: Shell): Promise<readonly string[]> =>
  findingsOf(host.inDom0, [
    ...(shell === 'ash' ? ['busybox', 'ash'] : ['dash']),
    '/mesh/dom0/audit',
  ]);

/** Asserts that the audits of dom0 and of each VM find nothing. */
export const assertClean = async (host: LabHost, shell: Shell): Promise<void> => {
  assert.deepEqual(await auditDom0(host, shell), []);
  const found = meshVms.map((vm) =>
    findingsOf((argv) => host.inVm(vm, argv), ['nice', 'vifwatch', 'audit']),
  );
  assert.deepEqual(
    await Promise.all(found),
    meshVms.map(() => []),
  );
};

/** Boots the mesh unless an earlier scenario has done so. */
export const needMesh = async (host: LabHost): Promise<void> => {
  if ((await host.inDom0(['test', '-e', '/mesh'])).status !== 0) await bootMesh(host, 'dash');
};

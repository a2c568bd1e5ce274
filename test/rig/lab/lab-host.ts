import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, Toolstack, VifSpec } from '../host.ts';
import { openAgentLink } from './agent-link.ts';
import { keepLogs } from './logs.ts';
import { writePayload } from './payload.ts';
import { guestOptions, type Machine, startMachine } from './qemu.ts';
import { openService } from './service.ts';
import { connectConsole, consoleNode, type Snapshot } from './snapshot.ts';

/** Real Xen in QEMU. */
export type LabHost = Host & {
  /** Runs a command in dom0. */
  inDom0(argv: readonly string[]): Promise<Toolstack>;
  /** Reboots a VM from inside; resolves with its new domid once it answers again. */
  reboot(vm: string): Promise<number>;
  readonly machine: Machine;
};

const netVmName = 'net-vm';

/** Lets a host go on from the snapshot, with vifwatch as it is built now in net-vm. */
export const openLab = async (snapshot: Snapshot, logs: string): Promise<LabHost> => {
  await mkdir(logs, { recursive: true });
  const directory = await mkdtemp(join(tmpdir(), 'vifwatch-run.'));
  const payload = join(directory, 'payload');
  await writePayload(payload);
  const machine = await startMachine({
    boot: snapshot.boot,
    snapshot: snapshot.image,
    payload,
    log: join(logs, 'dom0.log'),
    load: true,
  });
  const close = async (): Promise<void> => {
    await machine.stop();
    await rm(directory, { recursive: true });
  };
  try {
    const host = await openHost(machine);
    return {
      ...host,
      close: async () => {
        await keepLogs(host, logs);
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
};

const openHost = async (machine: Machine): Promise<Omit<LabHost, 'close'>> => {
  const link = openAgentLink(machine.agent);
  const domids = new Map<string, number>();
  const run = (host: string, argv: readonly string[]): Promise<Toolstack> =>
    Promise.race([link.run(host, argv), endOf(machine)]);
  const inDom0 = (argv: readonly string[]): Promise<Toolstack> => run('dom0', argv);
  const inNetVm = (argv: readonly string[]): Promise<Toolstack> => run(netVmName, argv);
  const must = async (argv: readonly string[], runIn = inDom0): Promise<string> => {
    const { status, stdout, stderr } = await runIn(argv);
    if (status !== 0) throw new Error(`${argv.join(' ')}: status ${status}: ${stderr}${stdout}`);
    return stdout;
  };
  const domidOf = (vm: string): number => {
    const domid = domids.get(vm);
    if (domid === undefined) throw new Error(`no VM ${vm}`);
    return domid;
  };
  const adopt = async (vm: string): Promise<number> => {
    const domid = await connectConsole(link, vm);
    domids.set(vm, domid);
    await must(['xenstore-write', mapNode(vm), `${domid}`]);
    await must(['xenstore-chmod', mapNode(vm), 'r0']);
    return domid;
  };
  const isBackAfter = async (vm: string, before: number): Promise<boolean> => {
    const domid = (await inDom0(['xl', 'domid', vm])).stdout.trim();
    if (domid === '' || domid === `${before}`) return false;
    return (await inDom0(['xenstore-exists', consoleNode(domid)])).status === 0;
  };
  await must(['/lab/payload'], inNetVm);
  return {
    machine,
    netVm: Number(await must(['xl', 'domid', netVmName])),
    inDom0,
    inNetVm,
    inVm: run,
    ...openService(inNetVm),
    create: async ({ name, vif }) => {
      const settings = [`name="${name}"`, `extra="console=hvc0 quiet ${guestOptions} vm=${name}"`];
      if (vif !== undefined) settings.push(`vif=["${vifWords(vif).join(',')}"]`);
      const created = must(['xl', 'create', '-q', '/etc/xen/guest.cfg', ...settings]);
      const [domid] = await Promise.all([created.then(() => adopt(name)), link.started(name)]);
      return domid;
    },
    destroy: async (vm) => {
      const result = await inDom0(['xl', 'destroy', vm]);
      await must(['xenstore-rm', mapNode(vm)]);
      domids.delete(vm);
      return result;
    },
    attach: async (vm, vif) => {
      await must(['xl', 'network-attach', vm, ...vifWords(vif)]);
      const devids = await must(['xenstore-list', `/libxl/${domidOf(vm)}/device/vif`]);
      return Math.max(...devids.trim().split('\n').map(Number));
    },
    detach: (vm, devid) => inDom0(['xl', 'network-detach', vm, `${devid}`]),
    reboot: async (vm) => {
      const before = domidOf(vm);
      await run(vm, ['sh', '-c', 'reboot -f &']);
      while (!(await isBackAfter(vm, before)));
      const [domid] = await Promise.all([adopt(vm), link.started(vm)]);
      return domid;
    },
    read: async (path) => {
      const { status, stdout } = await inDom0(['xenstore-read', '-R', path]);
      return status === 0 ? stdout.replace(/\n$/, '') : undefined;
    },
  };
};

/** What xl calls a vif, in words that an xl configuration joins by commas. */
const vifWords = ({ mac, ip }: VifSpec): string[] => [
  `mac=${mac}`,
  ...(ip === undefined ? [] : [`ip=${ip}`]),
  `backend=${netVmName}`,
];

const mapNode = (vm: string): string => `/ipc/domain-map/${vm}`;

/** Rejects when QEMU ends by itself; when the lab ends it, nobody waits for an answer any more. */
const endOf = async (machine: Machine): Promise<never> => {
  await machine.ended;
  return new Promise(() => {});
};

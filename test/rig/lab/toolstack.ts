import { timesUsual } from '../../support/slowness.ts';
import type { Host, VifSpec, VmSpec } from '../host.ts';
import { must, type Run } from './command.ts';
import { consoleNode, type Domains } from './domains.ts';
import { guestOptions } from './qemu.ts';
import { until } from './until.ts';

export type LabVmSpec = VmSpec & {
  /** Whether the VM has Node, the disk with vifwatch, and enough memory for both. */
  readonly application?: boolean;
  /** Additional kernel parameters. */
  readonly options?: readonly string[];
};

export type LabToolstack = Pick<Host, 'destroy' | 'attach' | 'detach' | 'read' | 'slowness'> & {
  create(vm: LabVmSpec): Promise<number>;
  /** Reboots a VM from inside; resolves with its new domid when its agent answers again. */
  reboot(vm: string): Promise<number>;
};

/** Runs xl and the xenstore tools in dom0. */
export const openToolstack = (inDom0: Run, inVm: Host['inVm'], domains: Domains): LabToolstack => ({
  create: ({ name, vif, application = false, options = [] }) => {
    const words = ['console=hvc0', 'quiet', guestOptions, `vm=${name}`, ...options];
    const settings = [`name="${name}"`, `extra="${words.join(' ')}"`];
    if (vif !== undefined) settings.push(`vif=["${vifWords(vif).join(',')}"]`);
    const kind = application ? 'application' : 'guest';
    const argv = ['xl', 'create', '-q', `/etc/xen/${kind}.cfg`, ...settings];
    return domains.start(name, () => must(inDom0, argv));
  },
  destroy: async (vm) => {
    const result = await inDom0(['xl', 'destroy', vm]);
    await domains.forget(vm);
    return result;
  },
  attach: async (vm, vif) => {
    await must(inDom0, ['xl', 'network-attach', vm, ...vifWords(vif)]);
    const devids = await must(inDom0, ['xenstore-list', `/libxl/${domains.domid(vm)}/device/vif`]);
    // libxl gives a new vif the number after the highest one.
    return Math.max(...devids.split('\n').map(Number));
  },
  detach: (vm, devid) => inDom0(['xl', 'network-detach', vm, `${devid}`]),
  reboot: (vm) =>
    domains.start(vm, async () => {
      const before = domains.domid(vm);
      // The reboot runs in the background so that the agent can still answer.
      await inVm(vm, ['sh', '-c', 'reboot -f &']);
      await until(
        async () => (await hasReturned(inDom0, vm, before)) || undefined,
        () => `${vm} does not come back as another domain`,
      );
    }),
  read: async (path) => {
    const { status, stdout } = await inDom0(['xenstore-read', '-R', path]);
    return status === 0 ? stdout.replace(/\n$/, '') : undefined;
  },
  slowness: () => timesUsual(usualListSeconds, async () => (await inDom0(['xl', 'list'])).seconds),
});

/** Seconds for `xl list` in the emulated dom0, on the machine where the promises were measured. */
const usualListSeconds = 0.063;

/** The settings of a vif; an xl configuration joins them with commas. */
const vifWords = ({ mac, ip }: VifSpec): string[] => [
  `mac=${mac}`,
  ...(ip === undefined ? [] : [`ip=${ip}`]),
  'backend=net-vm',
];

const hasReturned = async (inDom0: Run, vm: string, before: number): Promise<boolean> => {
  const { stdout } = await inDom0(['xl', 'domid', vm]);
  const domid = stdout.trim();
  if (domid === '' || domid === `${before}`) return false;
  return (await inDom0(['xenstore-exists', consoleNode(domid)])).status === 0;
};

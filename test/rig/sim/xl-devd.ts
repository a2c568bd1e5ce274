/** The reference for vifwatch: the real `xl devd` in net-vm, with Xen's hotplug scripts from Debian. */

import type { Rig } from './rig.ts';
import type { TiedProcess } from './tied-process.ts';
import { namespaceOf } from './topology.ts';

const xl = '/usr/lib/xen-4.17/bin/xl';

/**
 * Starts `xl devd`. It does not report its readiness, but it also serves vifs that are already in state 2
 * when it is ready. Its scripts log to the rig's /var/log/xen/xen-hotplug.log.
 */
export const startXlDevd = (rig: Rig, netVm: number): TiedProcess =>
  rig.start('xl-devd', rig.inNamespace(namespaceOf(netVm), [xl, 'devd', '-F']), {
    domid: netVm,
    hypercalls: true,
  });

/** The oracle: the real `xl devd` in net-vm, with Xen's own hotplug scripts as Debian ships them. */

import type { Rig } from './rig.ts';
import type { TiedProcess } from './tied-process.ts';
import { namespaceOf } from './topology.ts';

const xl = '/usr/lib/xen-4.17/bin/xl';

/**
 * Starts `xl devd`. It does not tell when it is ready; a vif that is in state 2 by then is taken up all the same.
 * Its scripts log to the rig's own /var/log/xen/xen-hotplug.log.
 */
export const startXlDevd = (rig: Rig, netVm: number): TiedProcess =>
  rig.start('xl-devd', rig.inNamespace(namespaceOf(netVm), [xl, 'devd', '-F']), {
    domid: netVm,
    hypercalls: true,
  });

/** Checks that dom0 takes no part in this VM's network, and that a daemon serves the vifs here. */
import { type Domid, dom0 } from '../../address/domid.ts';
import { pluralize } from '../../text/pluralize.ts';
import { quoted } from '../../text/printable.ts';
import type { AuditFinding } from './finding.ts';

/** A vif of this VM as its frontend directory describes it. This VM could have written those nodes itself. */
type OwnVif = {
  readonly devid: string;
  readonly backend: string | undefined;
  readonly backendId: string | undefined;
};

export type VifAuditFacts = {
  readonly vifs: readonly OwnVif[];
  /** The domid of each vif that this VM is the backend of. */
  readonly served: readonly Domid[];
  /** True if a `vifwatch run` answers. */
  readonly isDaemonThere: boolean;
};

const isBelowDom0 = (path: string): boolean => /^\/+local\/+domain\/+0*0(\/|$)/.test(path);

const backendFindings = ({ devid, backend, backendId }: OwnVif): readonly AuditFinding[] => {
  const isDom0 =
    (backendId !== undefined && Number(backendId) === dom0 && backendId.trim() !== '') ||
    (backend !== undefined && isBelowDom0(backend));
  if (!isDom0) return [];
  const where = backend === undefined ? 'its backend node is missing' : quoted(backend);
  return [
    {
      code: 'VIF_BACKEND_DOM0',
      what: `the vif ${quoted(devid)} has its backend in dom0 (${where})`,
      do: 'in dom0: set backend=NET-VM in the vif of its xl configuration, and create the VM again',
    },
  ];
};

/** Returns the findings about vifs, both those of this VM and those that it serves. */
export const vifFindings = (facts: VifAuditFacts): readonly AuditFinding[] => {
  const { vifs, served, isDaemonThere } = facts;
  const found = vifs.flatMap(backendFindings);
  if (served.includes(dom0)) {
    found.push({
      code: 'VIF_FRONTEND_DOM0',
      what: 'this VM is the backend of a vif of dom0, and so dom0 is a host of this network',
      do: 'in dom0: xl network-detach 0 DEVID',
    });
  }
  if (served.length > 0 && !isDaemonThere) {
    found.push({
      code: 'DAEMON_ABSENT',
      what: `vifwatch run does not answer, but this VM is the backend of ${pluralize(served.length, 'vif')}`,
      do: 'rc-service vifwatch start; vifwatch check; see /var/log/vifwatch.log',
    });
  }
  return found;
};

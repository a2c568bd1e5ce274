/** Whether dom0 has a part in this VM's network. */
import { quoted } from '../../text/printable.ts';
import type { AuditFinding } from './finding.ts';

/** A vif of this VM: what its frontend directory says, which this VM could have written itself. */
type OwnVif = {
  readonly devid: string;
  readonly backend: string | undefined;
  readonly backendId: string | undefined;
};

export type VifAuditFacts = {
  readonly vifs: readonly OwnVif[];
  /** The domain of each vif that this VM is the backend of. */
  readonly served: readonly number[];
  /** Whether a `vifwatch run` answers. */
  readonly isDaemonThere: boolean;
};

const dom0 = 0;

const isBelowDom0 = (path: string): boolean => /^\/+local\/+domain\/+0*0(\/|$)/.test(path);

const backendFindings = ({ devid, backend, backendId }: OwnVif): readonly AuditFinding[] => {
  const isDom0 =
    (backendId !== undefined && Number(backendId) === dom0 && backendId.trim() !== '') ||
    (backend !== undefined && isBelowDom0(backend));
  if (!isDom0) return [];
  const where = backend === undefined ? 'nowhere' : quoted(backend);
  return [
    {
      code: 'VIF_BACKEND_DOM0',
      what: `the vif ${quoted(devid)} has its backend in dom0 (${where})`,
      do: 'in dom0: say backend=NET-VM in the vif of its xl configuration, and create the VM again',
    },
  ];
};

export const vifFindings = (facts: VifAuditFacts): readonly AuditFinding[] => {
  const { vifs, served, isDaemonThere } = facts;
  const found = vifs.flatMap(backendFindings);
  if (served.includes(dom0)) {
    found.push({
      code: 'VIF_FRONTEND_DOM0',
      what: 'dom0 has a vif here: it is a host of this network, with whatever routes it has',
      do: 'in dom0: xl network-detach 0 DEVID',
    });
  }
  if (served.length > 0 && !isDaemonThere) {
    found.push({
      code: 'DAEMON_ABSENT',
      what: `no vifwatch runs, and vifs are here to be served: ${served.length}`,
      do: 'rc-service vifwatch start; vifwatch check; /var/log/vifwatch.log',
    });
  }
  return found;
};

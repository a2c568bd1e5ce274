/** Whether the policy of calls is the one that dom0 has compiled for this VM. */
import type { LoadedPolicy } from '../../ipc/config/load-policy.ts';
import { policyHash } from '../../ipc/policy/policy-hash.ts';
import { placeText } from '../../text/diagnostic.ts';
import { printable, quoted } from '../../text/printable.ts';
import type { AuditFinding } from './finding.ts';
import type { KernelParameters } from './kernel-parameters.ts';

const wayOut =
  'install vms/NAME/etc/vifwatch/policy.d of "vifwatch mesh compile" here; ' +
  'if this one is right, compile the mesh with it and create the VM again';

export const policyFindings = (
  { policies, isLinked }: KernelParameters,
  { policy, rules, directories }: Pick<LoadedPolicy, 'policy' | 'rules' | 'directories'>,
): readonly AuditFinding[] => {
  const [wanted] = policies;
  if (policy.kind === 'invalid') {
    const { place = { file: '' }, text = '' } = policy.diagnostics[0] ?? {};
    const where = printable(placeText(place));
    const what = `the policy denies every call: ${where}: ${printable(text)}`;
    return [{ code: 'POLICY_INVALID', what, do: 'vifwatch policy check' }];
  }
  if (policy.kind === 'absent') {
    if (wanted === undefined) return [];
    const where = quoted(directories[0] ?? '');
    const what = `there is no policy in ${where}, and dom0 says ipc_policy=${printable(wanted)}`;
    return [{ code: 'POLICY_DIFFERS', what, do: wayOut }];
  }
  if (wanted === undefined) {
    if (!isLinked || rules.length === 0) return [];
    const what = 'dom0 says whom this VM is linked with, but not by which policy (ipc_policy=)';
    return [
      { code: 'POLICY_UNPINNED', what, do: 'boot it with what "vifwatch mesh compile" makes' },
    ];
  }
  const hash = policyHash(rules);
  const other = policies.find((named) => named !== hash);
  if (other === undefined) return [];
  const what = `the policy here is ${hash}, and dom0 says ipc_policy=${printable(other)}`;
  return [{ code: 'POLICY_DIFFERS', what, do: wayOut }];
};

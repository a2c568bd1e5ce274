/** Checks that the call policy is the one that dom0 has compiled for this VM. */
import type { LoadedPolicy } from '../../ipc/config/load-policy.ts';
import { policyHash } from '../../ipc/policy/policy-hash.ts';
import { placeText } from '../../text/diagnostic.ts';
import { printable, quoted } from '../../text/printable.ts';
import type { AuditFinding } from './finding.ts';
import type { KernelParameters } from './kernel-parameters.ts';

const installRemedy =
  'copy vms/NAME/etc/vifwatch/policy.d from the output of "vifwatch mesh compile" to this VM; ' +
  'if the policy here is right, compile the mesh with it and create the VM again';

/** Returns at most one finding: the policy is invalid, differs from dom0's hash, or has no hash from dom0. */
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
    const what = `${where} does not exist, but dom0 says ipc_policy=${printable(wanted)}`;
    return [{ code: 'POLICY_DIFFERS', what, do: installRemedy }];
  }
  if (wanted === undefined) {
    if (!isLinked || rules.length === 0) return [];
    const what = 'the kernel command line names links, but no policy hash (ipc_policy=)';
    const remedy = 'boot this VM with the xl configuration from "vifwatch mesh compile"';
    return [{ code: 'POLICY_UNPINNED', what, do: remedy }];
  }
  const hash = policyHash(rules);
  const other = policies.find((named) => named !== hash);
  if (other === undefined) return [];
  const what = `the policy here is ${hash}, but dom0 says ipc_policy=${printable(other)}`;
  return [{ code: 'POLICY_DIFFERS', what, do: installRemedy }];
};

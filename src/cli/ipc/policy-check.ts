/** `vifwatch policy check`: all that is wrong with the policy files, and all that is said in vain. */

import { type LoadedPolicy, loadPolicy } from '../../ipc/config/load-policy.ts';
import { lint } from '../../ipc/policy/lint.ts';
import { counted } from '../../text/counted.ts';
import type { Remark } from '../../text/remark.ts';

/** Whatever makes the policy deny everything. */
export const errorsOf = ({ policy, directories }: LoadedPolicy): readonly Remark[] => {
  if (policy.kind === 'invalid') return policy.diagnostics;
  if (policy.kind === 'rules') return [];
  return [{ place: directories[0] ?? '', text: 'no such directory: every call is denied' }];
};

/** Prints a line each and a summary, and returns the exit status: warnings alone are none. */
export const checkPolicy = async (directory: string): Promise<number> => {
  const loaded = await loadPolicy(directory);
  const errors = errorsOf(loaded);
  const warnings = lint(loaded.rules);
  const read = `${counted(loaded.files, 'file')}, ${counted(loaded.rules.length, 'rule')}`;
  const found = `${counted(errors.length, 'error')}, ${counted(warnings.length, 'warning')}`;
  const effect = errors.length > 0 ? ': every call is denied until it is mended' : '';
  const lines = [
    ...errors.map(({ place, text }) => `${place}: error: ${text}`),
    ...warnings.map(({ place, text }) => `${place}: warning: ${text}`),
    `${read}: ${found}${effect}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return errors.length > 0 ? 1 : 0;
};

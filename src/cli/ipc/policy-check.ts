/** `vifwatch policy check`: prints the errors and warnings for the policy files. */

import { agentPaths } from '../../ipc/config/agent-config.ts';
import { type LoadedPolicy, loadPolicy } from '../../ipc/config/load-policy.ts';
import { lint } from '../../ipc/policy/lint.ts';
import { type Diagnostic, placeText } from '../../text/diagnostic.ts';
import { pluralize } from '../../text/pluralize.ts';

export type CheckOptions = {
  /** The directory of the policy files; else it is beside the configuration. */
  readonly dir?: string;
  readonly config: string;
};

export const policyDirectoryOf = ({ dir, config }: CheckOptions): string =>
  dir ?? agentPaths(config).policies;

/** The errors that make the policy deny every call. */
export const errorsOf = ({ policy, directories }: LoadedPolicy): readonly Diagnostic[] => {
  if (policy.kind === 'invalid') return policy.diagnostics;
  if (policy.kind === 'rules') return [];
  const place = { file: directories[0] ?? '' };
  return [{ severity: 'error', place, text: 'no such directory: every call is denied' }];
};

/**
 * Prints a line per error or warning and a summary. Returns the exit status, which is 0 if there are only
 * warnings.
 */
export const checkPolicy = async (options: CheckOptions): Promise<number> => {
  const loaded = await loadPolicy(policyDirectoryOf(options));
  const errors = errorsOf(loaded);
  const warnings = lint(loaded.rules);
  const read = `${pluralize(loaded.files, 'file')}, ${pluralize(loaded.rules.length, 'rule')}`;
  const found = `${pluralize(errors.length, 'error')}, ${pluralize(warnings.length, 'warning')}`;
  const effect = errors.length > 0 ? ': every call is denied until the policy is corrected' : '';
  const lines = [
    ...[...errors, ...warnings].map(
      ({ severity, place, text }) => `${placeText(place)}: ${severity}: ${text}`,
    ),
    `${read}: ${found}${effect}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return errors.length > 0 ? 1 : 0;
};

/** Finds mistakes in the central call policy, and rules that do not fit this mesh. */
import { isAbsolute, join } from 'node:path';
import type { CallRule } from '../../../ipc/policy/call-rule.ts';
import type { Diagnostic, Place } from '../../../text/diagnostic.ts';
import { error, unknownVm } from '../mesh-diagnostic.ts';
import { isTooLarge, type Subsets, tooLong } from '../policy-subset.ts';
import { canLink, canRelay } from '../relations.ts';
import type { Sources } from '../sources.ts';

/** Adds the policy's directory to a file name. */
const under = (directory: string, file: string): string =>
  isAbsolute(file) ? file : join(directory, file);

const ofPolicy = (directory: string, { place, text }: Diagnostic): Diagnostic => {
  const { file, line = 1, column = 1 } = place;
  return error({ file: under(directory, file), line, column }, `${text}; correct it`);
};

const ofRule = (rule: CallRule, { mesh, policyDirectory }: Sources): readonly Diagnostic[] => {
  const at = (word: number): Place => ({
    file: under(policyDirectory, rule.file),
    line: rule.line,
    column: rule.words[word]?.column ?? rule.column,
  });
  const named = [
    [rule.source, at(2)],
    [rule.destination, at(3)],
  ] as const;
  const unknown = named.flatMap(([{ kind, text }, place]) =>
    kind === 'named' && !mesh.vms.has(text) ? [error(place, unknownVm(text))] : [],
  );
  const source = mesh.vms.get(rule.source.text);
  const target = mesh.vms.get(rule.destination.text);
  const { kind, target: redirected, relayed } = rule.action;
  const isInVain = kind !== 'allow' || (redirected !== undefined && redirected !== target?.name);
  if (!source || !target || source === target || isInVain) return unknown;
  if (canLink(mesh, source, target) || (relayed && canRelay(mesh, source, target))) return [];
  const relay = relayed ? ', and they do not share a relay' : ', and relayed=no excludes a relay';
  const text = `${source.name} has no link with ${target.name}${relay}`;
  return [error(at(2), `${text}; add serve and connect to mesh.toml, or remove the rule`)];
};

/** Checks the rules as they will be in the VMs' policy files, which have no inclusions. */
const ofSubsets = (
  { mesh, policyDirectory }: Sources,
  rules: readonly CallRule[],
  subsets: Subsets,
): readonly Diagnostic[] => {
  const diagnostics: Diagnostic[] = [];
  const long = tooLong(rules);
  if (long !== undefined) {
    const { file, line, column } = long;
    const at = { file: under(policyDirectory, file), line, column };
    diagnostics.push(error(at, 'the rule is too long for one line; use shorter names'));
  }
  for (const [vm, { text }] of subsets) {
    if (!isTooLarge(text)) continue;
    diagnostics.push(
      error(mesh.at(['policy']), `the rules for ${vm} do not fit into one file; merge some`),
    );
  }
  return diagnostics;
};

/** Checks the central call policy. */
export const callPolicyDiagnostics = (
  sources: Sources,
  subsets: Subsets,
): readonly Diagnostic[] => {
  const { mesh, policy: loaded, policyDirectory } = sources;
  if (loaded === undefined) return [];
  const { policy, rules } = loaded;
  if (policy.kind === 'absent') {
    return [error(mesh.at(['policy']), `${policyDirectory} does not exist; create the directory`)];
  }
  return [
    ...(policy.kind === 'invalid'
      ? policy.diagnostics.map((diagnostic) => ofPolicy(policyDirectory, diagnostic))
      : []),
    ...rules.flatMap((rule) => ofRule(rule, sources)),
    ...ofSubsets(sources, rules, subsets),
  ];
};

/** What is wrong with the central call policy, by itself and for this mesh. */
import { isAbsolute, join } from 'node:path';
import type { Remark } from '../../call-policy/remark.ts';
import type { Rule } from '../../call-policy/rule.ts';
import { error, type Fault, faultOf, type Place, unknownVm } from '../fault.ts';
import { isTooLarge, subsetFor, subsetText, tooLong } from '../policy-subset.ts';
import { canMeet } from '../relations.ts';
import type { Sources } from '../sources.ts';

/** The policy names its files relative to its directory. */
const under = (directory: string, file: string): string =>
  isAbsolute(file) ? file : join(directory, file);

const ofRemark = (directory: string, { place, text }: Remark): Fault => {
  const whole = { file: under(directory, place), line: 1, column: 1 };
  const fault = faultOf(`${place}: ${text}`, whole);
  return fault.at === whole
    ? error(whole, `${text}; correct it`)
    : { ...fault, at: { ...fault.at, file: under(directory, fault.at.file) } };
};

const ofRule = (rule: Rule, { mesh, policyDirectory }: Sources): readonly Fault[] => {
  const at = (word: number): Place => ({
    file: under(policyDirectory, rule.file),
    line: rule.line,
    column: rule.words[word]?.column ?? rule.column,
  });
  const named = [
    [rule.source, at(2)],
    [rule.destination, at(3)],
  ] as const;
  const unknown = named.flatMap(([{ is, text }, place]) =>
    is === 'named' && !mesh.vms.has(text) ? [error(place, unknownVm(text))] : [],
  );
  const source = mesh.vms.get(rule.source.text);
  const target = mesh.vms.get(rule.destination.text);
  const { is, target: redirected } = rule.action;
  const isInVain = is !== 'allow' || (redirected !== undefined && redirected !== target?.name);
  if (!source || !target || source === target || isInVain || canMeet(mesh, source, target)) {
    return unknown;
  }
  const text = `${source.name} has no link with ${target.name}, and no relay that both have`;
  return [error(at(2), `${text}; add serve and connect to mesh.toml, or remove the rule`)];
};

/** What goes wrong only when inclusions become one file. */
const ofSubsets = (sources: Sources, rules: readonly Rule[]): readonly Fault[] => {
  const { mesh, policyDirectory } = sources;
  const long = tooLong(rules);
  const large = [...mesh.vms.keys()].find((vm) => isTooLarge(subsetText(vm, subsetFor(vm, rules))));
  const place = mesh.at(['policy']);
  return [
    ...(long === undefined
      ? []
      : [
          error(
            { file: under(policyDirectory, long.file), line: long.line, column: long.column },
            'the rule is too long for one line; use shorter names',
          ),
        ]),
    ...(large === undefined ? [] : [error(place, `${large} has too many rules; join some`)]),
  ];
};

export const callPolicyFaults = (sources: Sources): readonly Fault[] => {
  const { mesh, policy: loaded, policyDirectory } = sources;
  if (loaded === undefined) return [];
  const { policy, rules } = loaded;
  if (policy.is === 'absent') {
    return [error(mesh.at(['policy']), `${policyDirectory} does not exist; make the directory`)];
  }
  return [
    ...(policy.is === 'invalid'
      ? policy.faults.map((remark) => ofRemark(policyDirectory, remark))
      : []),
    ...rules.flatMap((rule) => ofRule(rule, sources)),
    ...ofSubsets(sources, rules),
  ];
};

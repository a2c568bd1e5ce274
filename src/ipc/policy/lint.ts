/** Warnings for rules that have no effect, or another effect than they seem to have. */
import type { Diagnostic } from '../../text/diagnostic.ts';
import type { CallRule } from './call-rule.ts';
import {
  bucketsOf,
  firstOf,
  indexRules,
  lookupOf,
  mayBeSkipped,
  neverMatches,
  type RuleIndex,
} from './rule-index.ts';
import type { VmToken } from './vm-token.ts';
import type { Word } from './words.ts';

const ignored = ['autostart=', 'default_target='];

const ofToken = ({ kind, text }: VmToken, role: string, rule: CallRule): string | undefined => {
  if (kind === 'never') return `never matches: no call here has "${text}" as its ${role}`;
  if (kind !== 'unknowable') return undefined;
  const effect = mayBeSkipped(rule)
    ? 'allows nothing, and denies a call that it may match if a later rule allows it as another user'
    : 'denies every call that it may match';
  return `"${text}" is unknown here: the rule ${effect}`;
};

const ofAction = ({ action }: CallRule): string | undefined => {
  if (action.kind === 'ask') return '"ask" denies: nobody can answer';
  if (action.target === undefined) return undefined;
  return `target= denies in every VM except "${action.target}": calls are not redirected`;
};

/** The warnings for one rule by itself, with their words. */
const ofRule = (rule: CallRule): (readonly [Word, string])[] => {
  const [, , source, destination, action, ...parameters] = rule.words;
  const found: [Word | undefined, string | undefined][] = [
    [source, ofToken(rule.source, 'source', rule)],
    [destination, ofToken(rule.destination, 'destination', rule)],
    [action, ofAction(rule)],
    ...parameters
      .filter(({ text }) => ignored.some((name) => text.startsWith(name)))
      .map((word): [Word, string] => [word, `${word.text.replace(/=.*/, '=')} has no effect here`]),
  ];
  return found.flatMap(([word, text]) => (word && text ? [[word, text] as const] : []));
};

/** The earlier rule that decides every call that this rule could match. */
const coverOf = (rule: CallRule, rank: number, index: RuleIndex): CallRule | undefined => {
  const cover = firstOf(bucketsOf(index, lookupOf(rule)).map(({ decider }) => decider));
  return cover !== undefined && cover.rank < rank ? cover.rule : undefined;
};

/** Returns the warnings in the order of the rules. */
export const lint = (rules: readonly CallRule[]): Diagnostic[] => {
  const index = indexRules(rules);
  return rules.flatMap((rule, rank) => {
    const { file, line } = rule;
    const warning = (column: number, text: string): Diagnostic => ({
      severity: 'warning',
      place: { file, line, column },
      text,
    });
    const ownWarnings = ofRule(rule).map(([{ column }, text]) => warning(column, text));
    const cover = neverMatches(rule) ? undefined : coverOf(rule, rank, index);
    if (cover === undefined) return ownWarnings;
    return [warning(rule.column, `never reached: ${cover.place} decides first`), ...ownWarnings];
  });
};

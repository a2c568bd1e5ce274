/** Policies made of text. */
import assert from 'node:assert/strict';
import type { Policy } from '../../../src/ipc/policy/decide.ts';
import { parsePolicyText, type ServiceWords } from '../../../src/ipc/policy/policy-text.ts';
import type { Rule } from '../../../src/ipc/policy/rule.ts';
import { indexRules } from '../../../src/ipc/policy/rule-index.ts';

export const parse = (text: string | Uint8Array, service?: ServiceWords) =>
  parsePolicyText('p', typeof text === 'string' ? Buffer.from(text) : text, service);

/** Of a text without mistakes or directives. */
export const rulesOf = (text: string): Rule[] => {
  const { statements, faults } = parse(text);
  assert.deepEqual(faults, []);
  return statements.map((statement) => {
    assert.ok(statement.is === 'rule');
    return statement.rule;
  });
};

export const policyOf = (rules: readonly Rule[]): Policy => ({
  is: 'rules',
  index: indexRules(rules),
});

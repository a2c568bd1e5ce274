/** Policies from text. */
import assert from 'node:assert/strict';
import type { CallRule } from '../../../src/ipc/policy/call-rule.ts';
import type { CallPolicy } from '../../../src/ipc/policy/decide-call.ts';
import { parsePolicyText, type ServiceWords } from '../../../src/ipc/policy/policy-text.ts';
import { indexRules } from '../../../src/ipc/policy/rule-index.ts';

/** Parses `text` as the file `p`; with `service`, as a file of `!include-service` in the old format. */
export const parse = (text: string | Uint8Array, service?: ServiceWords) =>
  parsePolicyText('p', typeof text === 'string' ? Buffer.from(text) : text, service);

/** The rules of a text, which must have no errors or directives. */
export const rulesOf = (text: string): CallRule[] => {
  const { statements, diagnostics } = parse(text);
  assert.deepEqual(diagnostics, []);
  return statements.map((statement) => {
    assert.ok(statement.kind === 'rule');
    return statement.rule;
  });
};

/** The indexed policy of `rules`. */
export const policyOf = (rules: readonly CallRule[]): CallPolicy => ({
  kind: 'rules',
  index: indexRules(rules),
});

/** Lint warns of rules and parameters without an effect, and names their places. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideCall } from '../../../src/ipc/policy/decide-call.ts';
import { lint } from '../../../src/ipc/policy/lint.ts';
import { placeText } from '../../../src/text/diagnostic.ts';
import { policyOf, rulesOf } from './policy-of.ts';

const warnings = (text: string): string[] =>
  lint(rulesOf(text)).map(({ place, text: what }) => `${placeText(place)} ${what}`);

test('a clean policy has no warning', () => {
  const text = 's +x a b allow user=root\ns * a b deny notify=no\n* * @anyvm * deny';
  expect(warnings(text)).toEqual([]);
});

test.each([
  ['s * a b ask', 'p:1:9 "ask" denies'],
  ['s * a b allow target=c', 'p:1:9 target= denies in every VM except "c"'],
  ['s * a b allow autostart=no', 'p:1:15 autostart= has no effect'],
  ['s * dom0 b allow', 'p:1:5 never matches: no call here has "dom0" as its source'],
  ['s * a @default deny', 'p:1:7 never matches'],
  ['s * a @dispvm deny', 'p:1:7 never matches'],
  ['s * a dom0 deny', 'p:1:7 never matches'],
  ['s * @tag:x b allow', 'p:1:5 "@tag:x" is unknown here: the rule allows nothing'],
  ['s * @tag:x b deny', 'p:1:5 "@tag:x" is unknown here: the rule denies every call'],
  ['s * @tag:x b allow relayed=no', 'p:1:5 "@tag:x" is unknown here: the rule denies every call'],
  ['s * a @type:AppVM deny', 'p:1:7 "@type:AppVM" is unknown'],
])('%s is warned of', (text, expected) => {
  const found = warnings(text);
  expect(found).toHaveLength(1);
  expect(found[0]).toContain(expected);
});

test('each parameter without an effect has its own warning', () => {
  const found = warnings('s * a b ask autostart=yes default_target=c');
  expect(found.map((text) => text.split(' ', 1)[0])).toEqual(['p:1:9', 'p:1:13', 'p:1:27']);
});

test.each([
  ['s * a b allow', 's * a b deny'],
  ['s * a b allow', 's +x a b deny'],
  ['* * a b allow', 's +x a b deny'],
  ['s * @anyvm b allow', 's * a b deny'],
  ['s * a * allow', 's * a @anyvm deny'],
  ['s * a * ask', 's * a b deny'],
  ['s * @anyvm b allow', 's * @tag:x b deny'],
  ['s * @tag:x b deny', 's * a b allow'],
])('%s hides %s', (first, second) => {
  const found = warnings(`${first}\n  ${second}`).filter((text) => text.includes('never reached'));
  expect(found).toEqual(['p:2:3 never reached: p:1 decides first']);
});

test.each([
  ['s +x a b allow', 's * a b deny'],
  ['s * a b allow', '* * a b deny'],
  ['s * a b allow', 's * @anyvm b deny'],
  ['s * @tag:x b allow', 's * a b deny'],
  ['s * dom0 b allow', 's * a b deny'],
  ['s * a @default deny', 's * a b deny'],
])('%s does not hide %s', (first, second) => {
  expect(warnings(`${first}\n${second}`).join()).not.toContain('never reached');
});

test('removing rules that are never reached changes no verdict', () => {
  const token = fc.constantFrom('*', '@anyvm', 'a', 'b', 'c', '@tag:x', 'dom0');
  const scope = fc.constantFrom('* *', 's *', 's +x', 's +', 't *');
  const action = fc.constantFrom(
    'allow',
    'deny',
    'ask',
    'allow user=u',
    'allow target=a',
    'allow relayed=no',
  );
  const line = fc.tuple(scope, token, token, action).map((fields) => fields.join(' '));
  const name = fc.constantFrom('a', 'b', 'c', 'd');
  const request = fc.record({
    source: name,
    self: name,
    service: fc.constantFrom('s', 't', 'u'),
    argument: fc.constantFrom('', 'x', 'y'),
    relayed: fc.boolean(),
  });
  let spared = 0;
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), fc.array(request), (lines, requests) => {
      const rules = rulesOf(lines.join('\n'));
      const hidden = lint(rules).filter(({ text }) => text.startsWith('never reached'));
      const lineNumbers = hidden.map(({ place }) => place.line);
      const fewer = policyOf(rules.filter(({ line: at }) => !lineNumbers.includes(at)));
      spared += hidden.length * requests.length;
      for (const request of requests) {
        expect(decideCall(fewer, request)).toEqual(decideCall(policyOf(rules), request));
      }
    }),
    { numRuns: 1000 },
  );
  // Ensures that the inputs contain enough unreachable rules.
  expect(spared).toBeGreaterThan(500);
});

/** The first matching rule decides, and a call that is not clearly allowed is denied. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decideCall, type PolicyRequest } from '../../../src/ipc/policy/decide-call.ts';
import { decideLinearly } from './linear-decide.ts';
import { policyOf, rulesOf } from './policy-of.ts';

const uuid = 'uuid:12345678-9abc-4def-8123-456789abcdef';

const request: PolicyRequest = {
  source: 'web',
  self: 'sa-vm',
  relayed: false,
  service: 'sign',
  argument: 'key1',
};

const verdictOn = (text: string, changes: Partial<PolicyRequest> = {}) =>
  decideCall(policyOf(rulesOf(text)), { ...request, ...changes });

/** The action, the user that an allowing rule names, and the deciding rule's line. */
const outcome = (text: string, changes: Partial<PolicyRequest> = {}): string => {
  const { action, user, rule } = verdictOn(text, changes);
  return `${action}${user === undefined ? '' : ` ${user}`} ${rule?.replace('p:', '') ?? '-'}`;
};

test.each([
  ['', 'deny -'],
  ['sign * web sa-vm allow', 'allow 1'],
  ['sign * web sa-vm allow user=signer', 'allow signer 1'],
  ['sign * web sa-vm allow user=a autostart=no notify=yes', 'allow a 1'],
  ['sign * web sa-vm deny\nsign * web sa-vm allow', 'deny 1'],
  ['sign * web sa-vm allow\nsign * web sa-vm deny', 'allow 1'],
  ['sign * mail sa-vm deny\n* * * * allow', 'allow 2'],
  ['sign * web mail deny\n* * * * allow', 'allow 2'],
  ['sig * web sa-vm deny\nsign2 * web sa-vm deny\n* * * * allow', 'allow 3'],
  ['sign +key1 web sa-vm allow', 'allow 1'],
  ['sign +key2 web sa-vm allow', 'deny -'],
  ['sign + web sa-vm allow', 'deny -'],
  ['SIGN * web sa-vm allow\nsign * Web sa-vm allow\nsign * web SA-VM allow', 'deny -'],
  ['* * @anyvm @anyvm allow', 'allow 1'],
  ['sign * web * ask\n* * * * allow', 'deny 1'],
  ['sign * web * ask default_target=sa-vm\n* * * * allow', 'deny 1'],
  ['sign * web * ask target=sa-vm\n* * * * allow', 'deny 1'],
  ['sign * web * allow target=sa-vm', 'allow 1'],
  ['sign * web * allow target=mail\n* * * * allow', 'deny 1'],
  ['sign * web * allow target=dom0\n* * * * allow', 'deny 1'],
  ['sign * web * allow target=@dispvm\n* * * * allow', 'deny 1'],
  [`sign * web * allow target=${uuid}\n* * * * allow`, 'deny 1'],
])('the policy %j gives "%s"', (text, expected) => {
  expect(outcome(text)).toBe(expected);
});

test.each(['dom0', '@adminvm', '@default', '@dispvm', '@dispvm:web', '@dispvm:@tag:x'])(
  'the destination %s never matches, and its rule neither allows nor denies',
  (destination) => {
    expect(outcome(`sign * * ${destination} deny\nsign * * * allow`)).toBe('allow 2');
    expect(outcome(`sign * * ${destination} allow target=sa-vm`)).toBe('deny -');
  },
);

test.each(['dom0', '@adminvm', '@dispvm:web', '@dispvm:@tag:x'])(
  'the source %s never matches',
  (source) => {
    expect(outcome(`sign * ${source} * deny\nsign * * * allow`)).toBe('allow 2');
  },
);

describe('a rule that may or may not match', () => {
  const unknown = [
    `@tag:x *`,
    `@type:AppVM *`,
    `${uuid} *`,
    `* @tag:x`,
    `* @type:AppVM`,
    `* ${uuid}`,
  ];
  test.each(unknown)('denies if it says so, and allows nothing by itself: %s', (pair) => {
    const rule = `sign * ${pair}`;
    expect(outcome(`${rule} allow`)).toBe('deny -');
    expect(outcome(`${rule} deny\n* * * * allow`)).toBe('deny 1');
    expect(outcome(`${rule} ask\n* * * * allow`)).toBe('deny 1');
    expect(outcome(`${rule} allow target=sa-vm\n* * * * allow`)).toBe('deny 1');
    expect(outcome(`${rule} allow\n* * * * deny`)).toBe('deny 2');
    expect(outcome(`${rule} allow\n* * * * allow`)).toBe('allow 2');
    expect(outcome(`* * * * allow\n${rule} deny`)).toBe('allow 1');
  });

  test('is skipped if the other column, the service or the argument does not match', () => {
    expect(outcome('sign * @tag:x mail deny\nsign * * * allow')).toBe('allow 2');
    expect(outcome('sign * mail @tag:x deny\nsign * * * allow')).toBe('allow 2');
    expect(outcome('sign +key2 @tag:x * deny\nsign * * * allow')).toBe('allow 2');
  });

  test('denies if it allows as another user than the next matching rule', () => {
    expect(outcome('sign * @tag:x * allow user=nobody\n* * * * allow')).toBe('deny 1');
    expect(outcome('sign * @tag:x * allow\n* * * * allow user=root')).toBe('deny 1');
    expect(outcome('sign * @tag:x * allow user=a\n* * * * allow user=a')).toBe('allow a 2');
    const three = ['a', 'b', 'c'].map((user) => `sign * @tag:${user} * allow user=${user}`);
    expect(outcome(`${three.join('\n')}\n* * * * allow user=a`)).toBe('deny 2');
    expect(outcome(`${three.join('\n')}\n* * * * allow user=c`)).toBe('deny 1');
    expect(outcome(`${three.join('\n')}\n* * * * deny`)).toBe('deny 4');
  });
});

test.each([
  { source: 'sa-vm' },
  { source: 'dom0' },
  { self: 'dom0' },
  { source: '' },
  { self: '' },
  { service: '' },
  { source: '*' },
  { source: '@anyvm' },
  { source: '@tag:x' },
  { source: uuid },
  { source: 'a b' },
  { self: '*' },
  { service: '*' },
  { service: 'sign+key1' },
  { service: 'sign/x' },
  { service: 'sign\n' },
  { argument: '*' },
  { argument: 'a b' },
  { argument: '../x' },
  { argument: '\0' },
])('a call with %j is never allowed', (changes) => {
  expect(outcome('* * * * allow', changes)).toBe('deny -');
});

test('names of prototype members are ordinary names', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
    const text = `${name} +${name} ${name} @anyvm allow`;
    const call = { source: name, service: name, argument: name };
    expect(outcome(text, call)).toBe('allow 1');
    expect(outcome(text)).toBe('deny -');
    expect(outcome('sign * web sa-vm allow', call)).toBe('deny -');
  }
});

test('arguments that begin with a plus, and empty arguments, match exactly', () => {
  expect(outcome('sign ++a web * allow', { argument: '+a' })).toBe('allow 1');
  expect(outcome('sign +a web * allow', { argument: '+a' })).toBe('deny -');
  expect(outcome('sign + web * allow', { argument: '' })).toBe('allow 1');
  expect(outcome('sign * web * allow', { argument: '' })).toBe('allow 1');
});

test.each([
  ['* * web sa-vm allow', 'allow 1', 'allow 1'],
  ['* * web sa-vm allow relayed=yes', 'allow 1', 'allow 1'],
  ['* * web sa-vm allow relayed=no', 'allow 1', 'deny 1'],
  ['* * mail sa-vm allow relayed=no\n* * * * allow', 'allow 2', 'allow 2'],
  ['* * web * allow relayed=no user=u\n* * * * allow', 'allow u 1', 'deny 1'],
  ['* * web sa-vm deny\n* * * * allow relayed=no', 'deny 1', 'deny 1'],
  // The first rule might match, and would then deny a relayed call.
  ['* * @tag:x * allow relayed=no\n* * * * allow', 'deny 1', 'deny 1'],
])('direct and relayed calls under %j', (text, direct, relayed) => {
  expect([false, true].map((isRelayed) => outcome(text, { relayed: isRelayed }))).toEqual([
    direct,
    relayed,
  ]);
});

test('each verdict has its reason', () => {
  const reason = (text: string): string => verdictOn(text).reason;
  expect(reason('* * * * allow')).toBe('allowed by rule');
  expect(reason('* * * * deny')).toBe('denied by rule');
  expect(reason('')).toBe('no matching rule');
  expect(reason('* * * * ask')).toContain('asks');
  expect(reason('* * * * allow target=x')).toContain('redirects');
  expect(verdictOn('* * * * allow relayed=no', { relayed: true }).reason).toContain('relay');
  expect(reason('* * @tag:x * deny')).toContain('may or may not match');
  expect(verdictOn('* * * * allow', { source: 'sa-vm' }).reason).toContain('itself');
  expect(decideCall({ kind: 'invalid', diagnostics: [] }, request)).toEqual({
    action: 'deny',
    user: undefined,
    rule: undefined,
    notify: true,
    reason: 'policy invalid',
  });
  const absent = decideCall({ kind: 'absent' }, request);
  expect(absent.action).toBe('deny');
  expect(absent.reason).toContain('no policy');
});

test('denials are notified unless the rule says notify=no, allowed calls only with notify=yes', () => {
  const notify = (text: string): boolean => verdictOn(text).notify;
  expect(notify('* * * * allow')).toBe(false);
  expect(notify('* * * * allow notify=yes')).toBe(true);
  expect(notify('* * * * deny')).toBe(true);
  expect(notify('* * * * deny notify=no')).toBe(false);
  expect(notify('* * * * ask notify=no')).toBe(true);
});

/** A few names only, so that rules overlap. */
const name = fc.constantFrom('a', 'b', 'c');
const service = fc.constantFrom('s', 't', 'constructor');
const argument = fc.constantFrom('', 'x', '+');
const common = ['*', '@anyvm', 'dom0', '@adminvm', '@tag:a', '@type:b', uuid, '@dispvm:a'];
const token = fc.oneof({ weight: 3, arbitrary: name }, fc.constantFrom(...common));
const destination = fc.oneof(
  { weight: 5, arbitrary: token },
  fc.constantFrom('@dispvm', '@default'),
);
const user = fc.constantFrom('', '', ' user=u', ' user=v');
const action = fc.oneof(
  fc.constantFrom('deny', 'ask'),
  { weight: 3, arbitrary: user.map((text) => `allow${text}`) },
  user.map((text) => `allow${text} relayed=no`),
  name.map((target) => `allow target=${target}`),
);
const scope = fc.oneof(
  fc.constant('* *'),
  service.map((text) => `${text} *`),
  fc.tuple(service, argument).map(([text, value]) => `${text} +${value}`),
);
const line = fc
  .tuple(scope, token, destination, action)
  .filter(
    ([, , to, verb]) => to !== '@default' || !verb.startsWith('allow') || /target=/.test(verb),
  )
  .map((fields) => fields.join(' '));
const relayed = fc.boolean();
const arbitraryRequest = fc.record({ source: name, self: name, service, argument, relayed });

test('the index decides like a scan of all rules', () => {
  const seen = { allow: 0, deny: 0 };
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 40 }),
      fc.array(arbitraryRequest, { minLength: 1, maxLength: 20 }),
      (lines, requests) => {
        const rules = rulesOf(lines.join('\n'));
        const policy = policyOf(rules);
        for (const asked of requests) {
          const { action: verdict, user: as, rule } = decideCall(policy, asked);
          expect({ action: verdict, user: as, rule }).toEqual(decideLinearly(rules, asked));
          if (rule !== undefined) seen[verdict] += 1;
        }
      },
    ),
    { numRuns: 1000 },
  );
  // Ensures that the inputs exercise both verdicts.
  expect(Math.min(seen.allow, seen.deny)).toBeGreaterThan(100);
});

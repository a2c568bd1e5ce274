/** A VM's subset of the central policy gives the same verdicts as the whole policy, and has a stable hash. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { subsetFor, subsetText } from '../../../src/host/mesh/policy-subset.ts';
import type { CallRule } from '../../../src/ipc/policy/call-rule.ts';
import { decideCall } from '../../../src/ipc/policy/decide-call.ts';
import { policyHash } from '../../../src/ipc/policy/policy-hash.ts';
import type { ServiceWords } from '../../../src/ipc/policy/policy-text.ts';
import { parse, policyOf, rulesOf } from '../../ipc/policy/policy-of.ts';

const uuid = 'uuid:12345678-9abc-4def-8123-456789abcdef';
const noUuid = 'uuid:00000000-0000-0000-0000-000000000000';
const vms = ['a', 'b', 'c-d', 'A'];
const services = ['s', 'net.Reload', 't'];
const args = ['', 'k', 'x+y'];

const everyToken = [
  ...[...vms, ...vms, '*', '@anyvm', '@tag:x', '@type:AppVM', uuid],
  ...['dom0', '@adminvm', noUuid, '@dispvm:a', '@dispvm:@tag:x'],
];
const target = fc.constantFrom(...vms, 'dom0', '@dispvm', uuid);

const parameters = (names: readonly string[]) =>
  fc
    .record(
      {
        user: fc.constantFrom('u', 'root'),
        target,
        notify: fc.constantFrom('yes', 'no'),
        autostart: fc.constantFrom('yes', 'no'),
        relayed: fc.constantFrom('yes', 'no'),
        default_target: target,
      },
      { requiredKeys: [] },
    )
    .map((values) => Object.entries(values).filter(([name]) => names.includes(name)))
    .chain((values) => fc.shuffledSubarray(values.map(([name, value]) => `${name}=${value}`)));

const redirects = ['user', 'target', 'notify', 'autostart'];
const action = fc.oneof(
  parameters([...redirects, 'relayed']).map((words) => ['allow', ...words]),
  parameters([...redirects, 'default_target']).map((words) => ['ask', ...words]),
  parameters(['notify']).map((words) => ['deny', ...words]),
);
const tail = fc
  .tuple(
    fc.constantFrom(...everyToken),
    fc.constantFrom(...everyToken, '@default', '@dispvm'),
    action,
  )
  .filter(([, to, verb]) => to !== '@default' || verb[0] !== 'allow')
  .map(([from, to, verb]) => [from, to, ...verb]);
const scope = fc.oneof(
  fc.constant(['*', '*']),
  fc.tuple(
    fc.constantFrom(...services),
    fc.constantFrom('*', ...args.map((argument) => `+${argument}`)),
  ),
);

/**
 * A rule parsed from a policy line, or from a line of a file included for a service, whose syntax differs.
 */
const rule = fc
  .tuple(scope, tail, fc.boolean(), fc.constantFrom(' ', '\t', '   '))
  .map(([[service = '', argument = ''], words, included, gap]): CallRule => {
    if (!included) return rulesOf([service, argument, ...words].join(gap))[0] as CallRule;
    const [from = '', to = '', ...verb] = words.map((word) => word.replaceAll('@', '$'));
    const given: ServiceWords = [
      { text: service, column: 18 },
      { text: argument, column: 30 },
    ];
    const { statements } = parse(`${from}${gap}${to}${gap}${verb.join(',')}`, given);
    const [first] = statements;
    if (first?.kind !== 'rule') throw new Error('not a rule');
    return first.rule;
  });
const rules = fc.array(rule, { maxLength: 12 });

/** The rules that the VM reads from the file that the compiler writes for it. */
const reloaded = (vm: string, all: readonly CallRule[]): CallRule[] =>
  rulesOf(subsetText(vm, subsetFor(vm, all)));

/** A call from each VM to `self`, of each service with each argument. */
const callsTo = (self: string) =>
  [...vms, 'unknown'].flatMap((source) =>
    [...services, 'other'].flatMap((service) =>
      [...args, 'other'].map((argument) => {
        return { source, self, service, argument, relayed: service !== 's' };
      }),
    ),
  );

const verdictOf = (policy: ReturnType<typeof policyOf>, call: ReturnType<typeof callsTo>[0]) => {
  const { rule: _rule, ...verdict } = decideCall(policy, call);
  return verdict;
};

test('the subset gives every call the same verdict as the whole policy', () => {
  fc.assert(
    fc.property(rules, (all) => {
      for (const self of vms) {
        const subset = policyOf(reloaded(self, all));
        const whole = policyOf(all);
        for (const call of callsTo(self))
          expect(verdictOf(subset, call)).toEqual(verdictOf(whole, call));
      }
    }),
    { numRuns: 120 },
  );
});

test('the random rules give many different verdicts', () => {
  const policies = fc.sample(rules, { seed: 1, numRuns: 500 }).map(policyOf);
  const verdicts = policies.flatMap((policy) =>
    vms.flatMap((self) =>
      callsTo(self).map((call) => {
        const { action, user, notify } = verdictOf(policy, call);
        return `${action} ${user} ${notify}`;
      }),
    ),
  );
  expect(new Set(verdicts).size).toBeGreaterThan(5);
});

test("a VM's file has the hash of its rules, and no rule in it names another VM as its target", () => {
  fc.assert(
    fc.property(rules, fc.constantFrom(...vms), (all, vm) => {
      const subset = subsetFor(vm, all);
      const read = reloaded(vm, all);
      expect(policyHash(read)).toBe(policyHash(subset));
      expect(policyHash(subset)).toMatch(/^[0-9a-f]{32}$/);
      for (const { destination } of read) {
        expect([vm, '*', '@anyvm', '@tag:x', '@type:AppVM', uuid]).toContain(destination.text);
      }
    }),
  );
});

const textOf = ({ words }: CallRule): string => {
  const [service, argument, from, to, verb, ...more] = words.map(({ text }) => text);
  return [service, argument, from, to, verb, ...more.sort()].join(' ');
};

test('two policies have the same hash if and only if their rules are the same', () => {
  fc.assert(
    fc.property(rules, rule, fc.nat(), (all, other, at) => {
      const index = all.length === 0 ? 0 : at % all.length;
      const variants = [
        all.toSpliced(index, 1, other),
        all.toSpliced(index, 1),
        all.toSpliced(index, 0, other),
        all.toReversed(),
      ];
      for (const variant of variants) {
        const isSame = variant.map(textOf).join('\n') === all.map(textOf).join('\n');
        expect(policyHash(variant) === policyHash(all)).toBe(isSame);
      }
    }),
    { numRuns: 300 },
  );
});

test('comments, spacing and the order of parameters do not change the hash; everything else does', () => {
  const hash = (text: string): string => policyHash(rulesOf(text));
  const policy = 's +k a b allow user=u notify=yes';
  expect(hash(`# x\n\n  s\t+k  a b   allow notify=yes user=u\r\n`)).toBe(hash(policy));
  const others = [
    ...['S +k a b allow user=u notify=yes', 's * a b allow user=u notify=yes'],
    ...['s +k A b allow user=u notify=yes', 's +k a @anyvm allow user=u notify=yes'],
    ...['s +k a b ask user=u notify=yes', 's +k a b allow user=v notify=yes'],
    ...['s +k a b allow user=u', `${policy}\n${policy}`, ''],
  ];
  expect(new Set([policy, ...others].map(hash)).size).toBe(others.length + 1);
});

test('the hash of a known policy never changes, because command lines of running VMs have it', () => {
  expect(policyHash(rulesOf('sign +key1 workload-vm sa-vm allow user=signer'))).toBe(
    'deabf8426eb9695ec5d0f803e1fcce26',
  );
});

/** Verdicts on tracked flows. 10.0.5.3 and 10.0.5.4 are VMs, 10.0.5.1 is net-vm, 192.0.2.1 is outside. */
import { expect, test } from 'vitest';
import { parsePolicyFile } from '../../../src/network/config/policy-file.ts';
import { flowsOf } from '../../../src/network/policy/flow.ts';
import { type JudgeFacts, judgeFlows } from '../../../src/network/policy/judge-flows.ts';
import { addHolder, noHolders } from '../../../src/network/vif/address-holders.ts';
import type { ServedVif } from '../../../src/network/vif/served-vif.ts';
import { modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif, prefix } from '../store-fixture.ts';

const vifs = planFor(modelOf([backendVif(3), backendVif(4)])).served;

const withPolicy = (domid: number, text: string): ServedVif => {
  const vif = vifs.find((candidate) => candidate.domid === domid);
  if (vif === undefined) throw new Error(`no vif of domain ${domid}`);
  const { rules } = parsePolicyFile('test.toml', text);
  return { ...vif, policy: { ...vif.policy, source: { key: 'test', rules } } };
};

const own = noHolders<unknown>();
addHolder(own, prefix('10.0.5.1'), 'net-vm');

const judge = (
  line: string,
  policies: readonly [string, string],
  more: Partial<JudgeFacts> = {},
) => {
  const flows = flowsOf([prefix('0.0.0.0/0')])([`${line} mark=0 use=1 id=1`]);
  if ('unreadable' in flows) throw new Error(flows.unreadable);
  const [flow] = flows;
  if (flow === undefined) throw new Error('no flow was found');
  return judgeFlows({
    served: [
      { ...withPolicy(3, policies[0]), name: 'web' },
      { ...withPolicy(4, policies[1]), name: 'mail' },
    ],
    forwards: [{ proto: 'tcp', port: 80, to: prefix('10.0.5.3'), toPort: 8080 }],
    masquerade: false,
    own,
    nowS: 0,
    everOf: () => undefined,
    addressesOf: () => undefined,
    ...more,
  })(flow);
};

const isolated = '';
const out = '[[rule]]\naction = "accept"\n';
const open = `${out}[[rule]]\naction = "accept"\ndirection = "in"\n`;
const ping = '[[rule]]\naction = "accept"\nproto = "icmp"\nicmptype = 8\n';
const dns = '[[rule]]\naction = "accept"\nproto = "udp"\ndstports = [53]\n';

const tcp = (from: string, to: string, port: number): string =>
  `tcp 6 9 ESTABLISHED src=${from} dst=${to} sport=4000 dport=${port} src=${to} dst=${from} sport=${port} dport=4000`;

test.each([
  ['from a VM to the outside', tcp('10.0.5.3', '192.0.2.1', 7), open, isolated, true],
  ['from an isolated VM to the outside', tcp('10.0.5.3', '192.0.2.1', 7), isolated, open, false],
  ['from the outside to a VM', tcp('192.0.2.1', '10.0.5.3', 7), open, isolated, true],
  ['from the outside to an isolated VM', tcp('192.0.2.1', '10.0.5.3', 7), isolated, open, false],
  ['between VMs', tcp('10.0.5.3', '10.0.5.4', 7), open, open, true],
  ['from an isolated VM to a VM', tcp('10.0.5.3', '10.0.5.4', 7), isolated, open, false],
  ['from a VM to an isolated VM', tcp('10.0.5.3', '10.0.5.4', 7), open, isolated, false],
  ['from an isolated VM to net-vm', tcp('10.0.5.3', '10.0.5.1', 7), isolated, open, true],
  ['from net-vm to an isolated VM', tcp('10.0.5.1', '10.0.5.3', 7), isolated, open, true],
])('judges a flow %s by the policies', (_, line, ofWeb, ofMail, expected) => {
  expect(judge(line, [ofWeb, ofMail])).toBe(expected);
});

const unnamed = (protocol: number): string =>
  `unknown ${protocol} 9 src=10.0.5.3 dst=192.0.2.1 src=192.0.2.1 dst=10.0.5.3`;

const icmp = (number: number, type: number): string =>
  `icmp ${number} 9 src=10.0.5.3 dst=192.0.2.1 type=${type} code=0 id=3 src=192.0.2.1 dst=10.0.5.3 type=0 code=0 id=3`;

test.each([
  ['an unnamed protocol matches a rule for any protocol', unnamed(253), out, true],
  ['an unnamed protocol matches no rule for UDP', unnamed(253), dns, false],
  ['TCP matches no rule for UDP', tcp('10.0.5.3', '192.0.2.1', 53), dns, false],
  ['a rule for a type of ICMP matches this type', icmp(1, 8), ping, true],
  ['a rule for a type of ICMP matches no other type', icmp(1, 13), ping, false],
  ['a rule for ICMP matches no ICMPv6', icmp(58, 8), ping, false],
])('%s', (_, line, policy, expected) => {
  expect(judge(line, [policy, isolated])).toBe(expected);
});

test.each([
  ['allows a forwarded flow without a rule', 80, 'src=10.0.5.3 dst=192.0.2.1 sport=8080', true],
  ['forbids a flow through a removed forward', 81, 'src=10.0.5.3 dst=192.0.2.1 sport=8080', false],
  ['forbids a flow to another VM', 80, 'src=10.0.5.4 dst=192.0.2.1 sport=8080', false],
  ['forbids a flow to another port', 80, 'src=10.0.5.3 dst=192.0.2.1 sport=80', false],
])('%s', (_, port, reply, expected) => {
  const line = `tcp 6 9 ESTABLISHED src=192.0.2.1 dst=198.51.100.1 sport=4000 dport=${port} ${reply} dport=4000`;
  expect(judge(line, [isolated, isolated])).toBe(expected);
});

test('a redirected flow of a VM is judged by the address that it reaches', () => {
  const line = `udp 17 9 src=10.0.5.3 dst=192.0.2.1 sport=4000 dport=53 src=10.0.5.4 dst=10.0.5.3 sport=53 dport=4000`;
  expect(judge(line, [out, isolated])).toBe(false);
  expect(judge(line, [out, open])).toBe(true);
});

test.each([
  ['a flow that leaves with its own address', tcp('10.0.5.3', '192.0.2.1', 7), false],
  ['a flow between VMs', tcp('10.0.5.3', '10.0.5.4', 7), true],
  [
    "a flow that leaves with net-vm's address",
    'tcp 6 9 ESTABLISHED src=10.0.5.3 dst=192.0.2.1 sport=1 dport=7 src=192.0.2.1 dst=198.51.100.1 sport=7 dport=1',
    true,
  ],
])('with masquerade, judges %s', (_, line, expected) => {
  expect(judge(line, [open, open], { masquerade: true })).toBe(expected);
});

test('the policy of a VM without a name is that of its vif, and no rule about a named VM matches it', () => {
  const toMail = '[[rule]]\naction = "accept"\ndstvm = "mail"\n';
  const line = tcp('10.0.5.3', '10.0.5.4', 7);
  expect(judge(line, [toMail, open])).toBe(true);
  const unnamed = [withPolicy(3, toMail), withPolicy(4, open)];
  expect(judge(line, [toMail, open], { served: unnamed })).toBe(false);
});

const host = (action: string): string => `[[rule]]\naction = "${action}"\ndsthost = "a.test"\n`;

test.each([
  ['an accepted flow lives on at an address that the name had', host('accept'), '192.0.2.9', true],
  [
    'a drop rule ends no flow at an address that the name had',
    host('drop') + out,
    '192.0.2.9',
    true,
  ],
  [
    'a drop rule ends a flow at an address that the name has',
    host('drop') + out,
    '192.0.2.1',
    false,
  ],
])('%s', (_, policy, now, expected) => {
  const facts = { everOf: () => new Set(['192.0.2.1']), addressesOf: () => [now] };
  expect(judge(tcp('10.0.5.3', '192.0.2.1', 7), [policy, isolated], facts)).toBe(expected);
});

import { expect, test } from 'vitest';
import { type Prefix, parsePrefix } from '../../../src/address/prefix.ts';
import {
  deletionOf,
  deletionsFor,
  deletionsOf,
  type Flow,
  flowsOf,
} from '../../../src/network/policy/flow.ts';

const prefixes = (...texts: readonly string[]): Prefix[] =>
  texts.map((text) => parsePrefix(text) as Prefix);

const listing = `tcp      6 431999 ESTABLISHED src=10.0.5.7 dst=192.0.2.1 sport=40000 dport=7 src=192.0.2.1 dst=10.0.5.7 sport=7 dport=40000 [ASSURED] mark=0 use=1 id=1
udp      17 29 src=192.0.2.1 dst=10.0.5.70 sport=53 dport=5353 [UNREPLIED] src=10.0.5.70 dst=192.0.2.1 sport=5353 dport=53 mark=0 use=1 id=1
icmpv6   58 29 src=fd00:5::7 dst=2001:db8:ff::1 type=128 code=0 id=9 src=2001:db8:ff::1 dst=fd00:5::7 type=129 code=0 id=9 mark=0 use=1 id=1
`;

const readFlows = (texts: readonly string[], lines: readonly string[]): readonly Flow[] => {
  const flows = flowsOf(prefixes(...texts))(lines);
  if ('unreadable' in flows) throw new Error(flows.unreadable);
  return flows;
};

test.each([
  [['10.0.5.7'], ['10.0.5.7 192.0.2.1']],
  [['10.0.5.70'], ['192.0.2.1 10.0.5.70']],
  [['10.0.5.0/24'], ['10.0.5.7 192.0.2.1', '192.0.2.1 10.0.5.70']],
  [['FD00:5:0:0::0007'], ['fd00:5::7 2001:db8:ff::1']],
  [
    ['fd00:5::/64', '10.0.5.7'],
    ['10.0.5.7 192.0.2.1', 'fd00:5::7 2001:db8:ff::1'],
  ],
  [['10.0.6.0/24', 'fd00:5::70'], []],
  [[], []],
])('finds the flows from or to %j', (texts, expected) => {
  const found = readFlows(texts, listing.trimEnd().split('\n'));
  expect(found.map(({ original: { source, destination } }) => `${source} ${destination}`)).toEqual(
    expected,
  );
});

test.each([
  [
    'tcp      6 431999 ESTABLISHED src=10.0.5.7 dst=192.0.2.1 sport=40000 dport=7 src=192.0.2.1 dst=10.0.5.7 sport=7 dport=40000 [ASSURED] mark=0 use=1 id=77',
    '-D -f ipv4 -p 6 -s 10.0.5.7 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.5.7 --sport 40000 --dport 7',
  ],
  [
    'icmp     1 29 src=10.0.5.7 dst=192.0.2.1 type=8 code=0 id=3 [UNREPLIED] src=192.0.2.1 dst=10.0.9.9 type=0 code=0 id=3 mark=0 use=1 id=77',
    '-D -f ipv4 -p 1 -s 10.0.5.7 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.9.9 --icmp-type 8 --icmp-code 0 --icmp-id 3',
  ],
  [
    'icmpv6   58 29 src=fd00:5::7 dst=2001:db8:ff::1 type=128 code=0 id=9 src=2001:db8:ff::1 dst=10.0.5.7 type=129 code=0 id=9 mark=0 use=1 id=77',
    '-D -f ipv6 -p 58 -s fd00:5::7 -d 2001:db8:ff::1 -r 2001:db8:ff::1 -q 10.0.5.7 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 9',
  ],
  [
    'udp      17 29 src=10.0.5.9 dst=10.0.9.9 sport=5353 dport=53 src=10.0.5.7 dst=10.0.5.9 sport=53 dport=5353 mark=0 use=1 id=77',
    '-D -f ipv4 -p 17 -s 10.0.5.9 -d 10.0.9.9 -r 10.0.5.7 -q 10.0.5.9 --sport 5353 --dport 53',
  ],
  [
    'gre      47 179 timeout=180, stream_timeout=180 src=10.0.5.7 dst=192.0.2.1 srckey=0x0 dstkey=0x9 [UNREPLIED] src=192.0.2.1 dst=10.0.5.7 srckey=0x9 dstkey=0x0 mark=0 use=1 id=77',
    '-D -f ipv4 -p 47 -s 10.0.5.7 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.5.7 --srckey 0x0 --dstkey 0x9',
  ],
  [
    'unknown  253 600 src=10.0.5.7 dst=192.0.2.1 [UNREPLIED] src=192.0.2.1 dst=10.0.5.7 mark=0 use=1 id=77',
    '-D -f ipv4 -p 253 -s 10.0.5.7 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.5.7',
  ],
  [
    'dccp     33 599 src=10.0.5.7 dst=192.0.2.1 sport=0 dport=0 [UNREPLIED] src=192.0.2.1 dst=10.0.5.7 sport=0 dport=0 mark=0 use=1 id=77',
    '-D -f ipv4 -p 33 -s 10.0.5.7 -d 192.0.2.1 -r 192.0.2.1 -q 10.0.5.7',
  ],
])('parses the flow and deletes exactly it: %s', (line, deletion) => {
  const [flow, ...others] = readFlows(['10.0.5.7'], [line]);
  expect(flow && deletionOf(flow)).toBe(deletion);
  expect(flow?.id).toBe('77');
  expect(others).toEqual([]);
});

test.each([
  '',
  'no flow',
  'tcp      6 431999 ESTABLISHED src=10.0.5.7 dst=192.0.2.1 sport=40000 dport=7',
  'tcp      6 431999 ESTABLISHED src=10.0.5.8 dst=192.0.2.1 sport=1 dport=7 src=192.0.2.1 dst=10.0',
])('a line that is no whole flow makes the listing unreadable: "%s"', (line) => {
  expect(flowsOf(prefixes('10.0.5.7'))([line])).toEqual({
    unreadable: `printed a line that is no flow: ${line}`,
  });
});

const udp = (vm: string, port: number): string =>
  `udp      17 29 src=${vm} dst=192.0.2.1 sport=${port} dport=7 src=192.0.2.1 dst=${vm} sport=7 dport=${port} mark=0 use=1 id=${port}`;

const manyOf = (...vms: readonly string[]): readonly Flow[] =>
  readFlows(
    vms,
    vms.flatMap((vm) => [...Array(100).keys()].map((port) => udp(vm, port))),
  );

test('many flows of a vif without any other flow are deleted together', () => {
  const deletions = deletionsOf(manyOf('10.0.5.7'), prefixes('10.0.5.7'), new Set());
  expect(deletions).toEqual(['-s', '-d', '-r', '-q'].map((end) => `-D -f ipv4 ${end} 10.0.5.7`));
});

test('flows of a vif with a flow that stays, and of addresses of no vif, are deleted one by one', () => {
  const flows = manyOf('10.0.5.7', '10.0.5.8');
  const deletions = deletionsOf(flows, prefixes('10.0.5.7', '10.0.5.8'), new Set(['10.0.5.7']));
  expect(deletions.filter((deletion) => deletion.includes('10.0.5.7 '))).toHaveLength(100);
  expect(deletions).toHaveLength(104);
});

test('a network is no end of replies for conntrack', () => {
  expect(deletionsFor('10.9.0.0/24')).toEqual([
    '-D -f ipv4 -s 10.9.0.0/24',
    '-D -f ipv4 -d 10.9.0.0/24',
  ]);
  expect(deletionsFor('fd00:5::7')).toHaveLength(4);
});

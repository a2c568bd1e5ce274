import { expect, test } from 'vitest';
import { type Prefix, parsePrefix } from '../../../src/address/prefix.ts';
import { deletionOf, flowsOf } from '../../../src/network/policy/flow.ts';

const prefixes = (...texts: readonly string[]): Prefix[] =>
  texts.map((text) => parsePrefix(text) as Prefix);

const listing = `tcp      6 431999 ESTABLISHED src=10.0.5.7 dst=192.0.2.1 sport=40000 dport=7 src=192.0.2.1 dst=10.0.5.7 sport=7 dport=40000 [ASSURED] mark=0 use=1
udp      17 29 src=192.0.2.1 dst=10.0.5.70 sport=53 dport=5353 [UNREPLIED] src=10.0.5.70 dst=192.0.2.1 sport=5353 dport=53 mark=0 use=1
icmpv6   58 29 src=fd00:5::7 dst=2001:db8:ff::1 type=128 code=0 id=9 src=2001:db8:ff::1 dst=fd00:5::7 type=129 code=0 id=9 mark=0 use=1
`;

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
  const found = flowsOf(prefixes(...texts))(listing.split('\n'));
  expect(found.map(({ source, destination }) => `${source} ${destination}`)).toEqual(expected);
});

test.each([
  [
    'tcp      6 431999 ESTABLISHED src=10.0.5.7 dst=192.0.2.1 sport=40000 dport=7 src=192.0.2.1 dst=10.0.5.7 sport=7 dport=40000 [ASSURED] mark=0 use=1',
    '-D -f ipv4 -p tcp -s 10.0.5.7 -d 192.0.2.1 --sport 40000 --dport 7',
    false,
  ],
  [
    'icmp     1 29 src=10.0.5.7 dst=192.0.2.1 type=8 code=0 id=3 [UNREPLIED] src=192.0.2.1 dst=10.0.9.9 type=0 code=0 id=3 mark=0 use=1',
    '-D -f ipv4 -p icmp -s 10.0.5.7 -d 192.0.2.1 --icmp-type 8 --icmp-code 0 --icmp-id 3',
    false,
  ],
  [
    'udp      17 29 src=10.0.5.7 dst=10.0.9.9 sport=5353 dport=53 src=10.0.5.8 dst=10.0.5.7 sport=53 dport=5353 mark=0 use=1',
    '-D -f ipv4 -p udp -s 10.0.5.7 -d 10.0.9.9 --sport 5353 --dport 53',
    true,
  ],
  [
    'gre      47 179 timeout=180, stream_timeout=180 src=10.0.5.7 dst=192.0.2.1 srckey=0x0 dstkey=0x9 [UNREPLIED] src=192.0.2.1 dst=10.0.5.7 srckey=0x9 dstkey=0x0 mark=0 use=1',
    '-D -f ipv4 -p gre -s 10.0.5.7 -d 192.0.2.1',
    false,
  ],
  [
    'unknown  2 600 src=10.0.5.7 dst=224.0.0.1 [UNREPLIED] src=224.0.0.1 dst=10.0.5.7',
    '-D -f ipv4 -p unknown -s 10.0.5.7 -d 224.0.0.1',
    false,
  ],
])('parses the flow and deletes exactly it: %s', (line, deletion, isForwarded) => {
  const [flow, ...others] = flowsOf(prefixes('10.0.5.7'))([line, '', 'no flow', 'src=10.0.5.7']);
  expect(flow && deletionOf(flow)).toBe(deletion);
  expect(flow?.isForwarded).toBe(isForwarded);
  expect(others).toEqual([]);
});

import { expect, test } from 'vitest';
import { flowsOf, parseFlows } from '../../src/core/flow.ts';
import { type Prefix, parsePrefix } from '../../src/core/prefix.ts';

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
])('flows from or to %j', (texts, expected) => {
  const found = parseFlows(listing).filter(flowsOf(prefixes(...texts)));
  expect(found.map(({ source, destination }) => `${source} ${destination}`)).toEqual(expected);
});

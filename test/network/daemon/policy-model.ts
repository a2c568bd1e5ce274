/** A second opinion on policies: random policies and their meaning, independent of the product's code. */
import fc from 'fast-check';

type ModelPeer =
  | { readonly kind: 'anyone' | 'uplink' }
  | { readonly kind: 'network'; readonly cidr: string }
  | { readonly kind: 'vm'; readonly name: string };

export type ModelRule = {
  readonly action: 'accept' | 'drop';
  readonly direction: 'out' | 'in';
  readonly peer: ModelPeer;
  readonly proto: 'udp' | 'tcp' | 'icmp' | 'icmpv6' | undefined;
  /** The lowest and the highest port of each range. */
  readonly ports: readonly (readonly [number, number])[];
  readonly icmptype: number | undefined;
};

/** A packet between two ends; `sender` and `receiver` are VM names, or undefined beyond the uplink. */
export type ModelPacket = {
  readonly source: string;
  readonly target: string;
  readonly sender: string | undefined;
  readonly receiver: string | undefined;
  readonly protocol: 'udp' | 'tcp' | 'icmp' | 'icmpv6';
  readonly port: number;
  readonly type: number;
};

export type ModelPolicies = Readonly<Record<string, readonly ModelRule[]>>;

const bitsOf = (address: string): string => {
  if (!address.includes(':')) {
    return address
      .split('.')
      .map((part) => Number(part).toString(2).padStart(8, '0'))
      .join('');
  }
  const [head = '', tail = ''] = address.split('::');
  const words = (text: string): string[] => text.split(':').filter((word) => word !== '');
  const zeros = Array<string>(8 - words(head).length - words(tail).length).fill('0');
  return [...words(head), ...zeros, ...words(tail)]
    .map((word) => Number.parseInt(word, 16).toString(2).padStart(16, '0'))
    .join('');
};

const isWithin = (address: string, cidr: string): boolean => {
  const [network = '', length = '128'] = cidr.split('/');
  if (network.includes(':') !== address.includes(':')) return false;
  return bitsOf(address).startsWith(bitsOf(network).slice(0, Number(length)));
};

const matches = (rule: ModelRule, packet: ModelPacket): boolean => {
  const out = rule.direction === 'out';
  const [address, vm] = out ? [packet.target, packet.receiver] : [packet.source, packet.sender];
  const { peer } = rule;
  if (peer.kind === 'uplink' && vm !== undefined) return false;
  if (peer.kind === 'vm' && vm !== peer.name) return false;
  if (peer.kind === 'network' && !isWithin(address, peer.cidr)) return false;
  if (rule.proto !== undefined && rule.proto !== packet.protocol) return false;
  if (rule.icmptype !== undefined && rule.icmptype !== packet.type) return false;
  return (
    rule.ports.length === 0 ||
    rule.ports.some(([low, high]) => low <= packet.port && packet.port <= high)
  );
};

const lets = (rules: readonly ModelRule[], direction: 'out' | 'in', packet: ModelPacket): boolean =>
  rules.find((rule) => rule.direction === direction && matches(rule, packet))?.action === 'accept';

/** Whether the first packet of a flow comes out on the other side. */
export const passes = (policies: ModelPolicies, packet: ModelPacket): boolean => {
  const { sender, receiver } = packet;
  const leaves = sender === undefined || lets(policies[sender] ?? [], 'out', packet);
  const enters = receiver === undefined || lets(policies[receiver] ?? [], 'in', packet);
  return leaves && enters;
};

const quoted = (items: readonly unknown[]): string =>
  items.map((item) => JSON.stringify(item)).join(', ');

const peerLine = ({ peer, direction }: ModelRule): string[] => {
  const end = direction === 'out' ? 'dst' : 'src';
  switch (peer.kind) {
    case 'anyone':
      return [];
    case 'uplink':
      return ['specialtarget = "uplink"'];
    case 'vm':
      return [`${end}vm = "${peer.name}"`];
    case 'network':
      return [`${end}${peer.cidr.includes(':') ? 6 : 4} = "${peer.cidr}"`];
  }
};

/** The policy file as an operator would write it. */
export const tomlOf = (rules: readonly ModelRule[]): string =>
  rules
    .flatMap((rule) => [
      '[[rule]]',
      `action = "${rule.action}"`,
      `direction = "${rule.direction}"`,
      ...peerLine(rule),
      ...(rule.proto === undefined ? [] : [`proto = "${rule.proto}"`]),
      ...(rule.ports.length === 0
        ? []
        : [`dstports = [${quoted(rule.ports.map(([low, high]) => `${low}-${high}`))}]`]),
      ...(rule.icmptype === undefined ? [] : [`icmptype = ${rule.icmptype}`]),
      '',
    ])
    .join('\n');

const port = fc.integer({ min: 1, max: 8 });
const icmpType = fc.constantFrom(8, 13, 128);

const service = fc.oneof(
  fc.constant({ proto: undefined, ports: [], icmptype: undefined }),
  fc.record({
    proto: fc.constantFrom('udp' as const, 'tcp' as const),
    ports: fc.array(
      fc.tuple(port, port).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const),
      { maxLength: 2 },
    ),
    icmptype: fc.constant(undefined),
  }),
  fc.record({
    proto: fc.constantFrom('icmp' as const, 'icmpv6' as const),
    ports: fc.constant([]),
    icmptype: fc.option(icmpType, { nil: undefined }),
  }),
);

/** @param vms the VM names that rules may use @param cidrs the networks that rules may use */
export const arbitraryRule = (
  vms: readonly string[],
  cidrs: readonly string[],
): fc.Arbitrary<ModelRule> =>
  fc
    .record({
      action: fc.constantFrom('accept' as const, 'accept' as const, 'drop' as const),
      direction: fc.constantFrom('out' as const, 'in' as const),
      peer: fc.oneof(
        fc.record({ kind: fc.constantFrom('anyone' as const, 'uplink' as const) }),
        fc.record({ kind: fc.constant('network' as const), cidr: fc.constantFrom(...cidrs) }),
        fc.record({ kind: fc.constant('vm' as const), name: fc.constantFrom(...vms) }),
      ),
      service,
    })
    .map(({ service: { proto, ports, icmptype }, ...rest }) => ({
      ...rest,
      proto,
      ports,
      icmptype,
    }));

/** Ethernet frames built byte by byte, for guests that break the rules. */

/** The gateway's MAC on every vif: netback's. */
export const netbackMac = 'fe:ff:ff:ff:ff:ff';

const bytes = (...parts: readonly (number | readonly number[])[]): number[] => parts.flat();
const word = (value: number): number[] => [(value >> 8) & 0xff, value & 0xff];
const macBytes = (mac: string): number[] => mac.split(':').map((part) => Number.parseInt(part, 16));

const ipv4Bytes = (address: string): number[] => address.split('.').map(Number);

const ipv6Bytes = (address: string): number[] => {
  const [head = '', tail] = address.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((part) => Number.parseInt(part, 16));
  const [first, last] = [words(head), words(tail ?? '')];
  const zeros: number[] = Array(8 - first.length - last.length).fill(0);
  return [...first, ...zeros, ...last].flatMap(word);
};

/** RFC 1071. */
const checksum = (data: readonly number[]): number[] => {
  let sum = 0;
  for (let i = 0; i < data.length; i += 2) sum += ((data[i] ?? 0) << 8) | (data[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return word(~sum & 0xffff);
};

type Ethernet = { readonly source: string; readonly target?: string };

const ethernet = (
  { source, target = netbackMac }: Ethernet,
  type: number,
  payload: readonly number[],
): string =>
  Buffer.from([...macBytes(target), ...macBytes(source), ...word(type), ...payload]).toString(
    'hex',
  );

export type Packet = Ethernet & {
  readonly from: string;
  readonly to: string;
  /** The hop limit of IPv6; the default is the one that neighbour discovery demands. */
  readonly hopLimit?: number;
};

const udp = (port: number, source = port): number[] =>
  bytes(word(source), word(port), word(12), [0, 0], Array(4).fill(0x78));

const ipv4Header = ({ from, to }: Packet, protocol: number, length: number, fragment: number) => {
  const start = bytes([0x45, 0], word(20 + length), word(1), word(fragment), [64, protocol]);
  const addresses = [...ipv4Bytes(from), ...ipv4Bytes(to)];
  return [...start, ...checksum([...start, ...addresses]), ...addresses];
};

/** An IPv4 frame with 4 bytes over UDP, as hex digits. */
export const udp4 = (packet: Packet, port: number, sourcePort = port): string => {
  const payload = udp(port, sourcePort);
  return ethernet(packet, 0x0800, [...ipv4Header(packet, 17, payload.length, 0), ...payload]);
};

/** The last fragment of a datagram, at offset 8; the other fragments never come. */
export const fragment4 = (packet: Packet): string =>
  ethernet(packet, 0x0800, [...ipv4Header(packet, 17, 8, 1), ...Array<number>(8).fill(0x78)]);

/** An ICMP echo request with this identifier. */
export const echo4 = (packet: Packet, id: number): string => {
  const rest = bytes(word(id), word(1), Array(8).fill(0x78));
  const payload = bytes([8, 0], checksum([8, 0, ...rest]), rest);
  return ethernet(packet, 0x0800, [...ipv4Header(packet, 1, payload.length, 0), ...payload]);
};

type Ipv6Payload = { readonly next: number; readonly data: readonly number[] };

const ipv6 = (packet: Packet, { next, data }: Ipv6Payload): string => {
  const addresses = [...ipv6Bytes(packet.from), ...ipv6Bytes(packet.to)];
  const { hopLimit = 255 } = packet;
  const header = bytes([0x60, 0, 0, 0], word(data.length), [next, hopLimit], addresses);
  const pseudo = bytes(addresses, [0, 0], word(data.length), [0, 0, 0, next]);
  // UDP and ICMPv6 have their checksum at different offsets; its bytes are still 0.
  if (next !== 17 && next !== 58) return ethernet(packet, 0x86dd, [...header, ...data]);
  const at = next === 17 ? 6 : 2;
  const sum = checksum([...pseudo, ...data]);
  const filled = [...data.slice(0, at), ...sum, ...data.slice(at + 2)];
  return ethernet(packet, 0x86dd, [...header, ...filled]);
};

/** The same as `udp4`, over IPv6. */
export const udp6 = (packet: Packet, port: number, sourcePort = port): string =>
  ipv6(packet, { next: 17, data: udp(port, sourcePort) });

/** The same as `fragment4`, with an IPv6 fragment header. */
export const fragment6 = (packet: Packet): string =>
  ipv6(packet, {
    next: 44,
    data: bytes([17, 0], word(8), [0, 0, 0, 1], Array<number>(8).fill(0x78)),
  });

/** A packet with a hop-by-hop option that its receiver must report to the source (RFC 8200: type 0x9e). */
export const unknownOption6 = (packet: Packet): string =>
  ipv6(packet, { next: 0, data: bytes([17, 0, 0x9e, 4], Array<number>(4).fill(0), udp(9)) });

/** An ICMP error or redirect about a packet like `udp4`'s that `packet.to` sent to this port of `about`. */
const icmpAbout4 = (
  packet: Packet,
  [type, code, ...second]: readonly number[],
  about: string,
  port = 7777,
): string => {
  const original = ipv4Header({ ...packet, from: packet.to, to: about }, 17, 12, 0);
  const rest = bytes(second, original, udp(port).slice(0, 8));
  const start = bytes(type ?? 0, code ?? 0);
  const payload = bytes(start, checksum([...start, 0, 0, ...rest]), rest);
  return ethernet(packet, 0x0800, [...ipv4Header(packet, 1, payload.length, 0), ...payload]);
};

/** An ICMP "fragmentation needed" with this MTU. */
export const fragmentationNeeded = (
  packet: Packet,
  mtu: number,
  about: { readonly to: string; readonly port: number },
): string => icmpAbout4(packet, [3, 4, 0, 0, ...word(mtu)], about.to, about.port);

/** An ICMPv6 "packet too big" with this MTU. */
export const packetTooBig = (
  packet: Packet,
  mtu: number,
  about: { readonly to: string; readonly port: number },
): string => {
  const payload = udp(about.port);
  const addresses = [...ipv6Bytes(packet.to), ...ipv6Bytes(about.to)];
  const original = bytes([0x60, 0, 0, 0], word(payload.length), [17, 64], addresses, payload);
  return icmp6(packet, 2, bytes([0, 0], word(mtu), original));
};

/** An ICMP redirect: `packet.from` is the next hop to `about`. */
export const redirect4 = (packet: Packet, about: string): string =>
  icmpAbout4(packet, [5, 1, ...ipv4Bytes(packet.from)], about);

/** The same as `redirect4`, over ICMPv6. */
export const redirect6 = (packet: Packet, about: string): string =>
  icmp6(packet, 137, bytes([0, 0, 0, 0], ipv6Bytes(packet.from), ipv6Bytes(about)));

/** The frame with a VLAN tag. */
export const tagged = (frame: string, vlan: number, type = '8100'): string =>
  `${frame.slice(0, 24)}${type}${Buffer.from(word(vlan)).toString('hex')}${frame.slice(24)}`;

/** A frame with a protocol other than IP and ARP. */
export const foreignProtocol = (packet: Ethernet, type: number): string =>
  ethernet(packet, type, Array<number>(46).fill(0x78));

const icmp6 = (packet: Packet, type: number, rest: readonly number[]): string =>
  ipv6(packet, { next: 58, data: bytes([type, 0, 0, 0], rest) });

/** An ICMPv6 echo request with this identifier. */
export const echo6 = (packet: Packet, id: number): string =>
  icmp6(packet, 128, bytes(word(id), word(1), Array(8).fill(0x78)));

/** An unsolicited neighbour advertisement with the override flag: `target` has the source's MAC. */
export const advertisement = (packet: Packet, target: string): string =>
  icmp6(packet, 136, bytes([0x20, 0, 0, 0], ipv6Bytes(target), [2, 1], macBytes(packet.source)));

/** A neighbour solicitation; it also tells the receiver the sender's MAC. */
export const solicitation = (packet: Packet, target: string): string =>
  icmp6(packet, 135, bytes([0, 0, 0, 0], ipv6Bytes(target), [1, 1], macBytes(packet.source)));

/** A router advertisement with a lifetime and a prefix for address autoconfiguration. */
export const routerAdvertisement = (packet: Packet, prefix: string): string => {
  const router = bytes([64, 0], word(1800), Array(8).fill(0));
  const lifetimes = bytes([0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]);
  return icmp6(packet, 134, bytes(router, [3, 4, 64, 0xc0], lifetimes, ipv6Bytes(prefix)));
};

export type Arp = Ethernet & {
  readonly operation: 'request' | 'reply';
  /** The sender's MAC in the ARP body, if it differs from the frame's. */
  readonly mac?: string;
  /** The address that the sender claims. */
  readonly sender: string;
  readonly asks: string;
};

export const arp = (packet: Arp): string => {
  const operation = packet.operation === 'request' ? 1 : 2;
  const who = bytes(macBytes(packet.mac ?? packet.source), ipv4Bytes(packet.sender));
  const whom = bytes(macBytes(netbackMac), ipv4Bytes(packet.asks));
  return ethernet(packet, 0x0806, bytes([0, 1, 8, 0, 6, 4], word(operation), who, whom));
};

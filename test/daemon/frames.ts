/** Ethernet frames by hand, for guests that do not keep to any rule. */

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

export type Packet = Ethernet & { readonly from: string; readonly to: string };

const udp = (port: number): number[] =>
  bytes(word(port), word(port), word(12), [0, 0], Array(4).fill(0x78));

const ipv4Header = ({ from, to }: Packet, protocol: number, length: number, fragment: number) => {
  const start = bytes([0x45, 0], word(20 + length), word(1), word(fragment), [64, protocol]);
  const addresses = [...ipv4Bytes(from), ...ipv4Bytes(to)];
  return [...start, ...checksum([...start, ...addresses]), ...addresses];
};

export const udp4 = (packet: Packet, port: number): string => {
  const payload = udp(port);
  return ethernet(packet, 0x0800, [...ipv4Header(packet, 17, payload.length, 0), ...payload]);
};

/** The last fragment of a datagram whose others never come, 8 bytes into it. */
export const fragment4 = (packet: Packet): string =>
  ethernet(packet, 0x0800, [...ipv4Header(packet, 17, 8, 1), ...Array<number>(8).fill(0x78)]);

export const echo4 = (packet: Packet, id: number): string => {
  const rest = bytes(word(id), word(1), Array(8).fill(0x78));
  const payload = bytes([8, 0], checksum([8, 0, ...rest]), rest);
  return ethernet(packet, 0x0800, [...ipv4Header(packet, 1, payload.length, 0), ...payload]);
};

type Ipv6Payload = { readonly next: number; readonly data: readonly number[] };

const ipv6 = (packet: Packet, { next, data }: Ipv6Payload): string => {
  const addresses = [...ipv6Bytes(packet.from), ...ipv6Bytes(packet.to)];
  const header = bytes([0x60, 0, 0, 0], word(data.length), [next, 255], addresses);
  const pseudo = bytes(addresses, [0, 0], word(data.length), [0, 0, 0, next]);
  // UDP and ICMPv6 keep their checksum in other places, and it is 0 until now.
  const at = next === 17 ? 6 : 2;
  const sum = checksum([...pseudo, ...data]);
  const filled = [...data.slice(0, at), ...sum, ...data.slice(at + 2)];
  return ethernet(packet, 0x86dd, [...header, ...filled]);
};

export const udp6 = (packet: Packet, port: number): string =>
  ipv6(packet, { next: 17, data: udp(port) });

const icmp6 = (packet: Packet, type: number, rest: readonly number[]): string =>
  ipv6(packet, { next: 58, data: bytes([type, 0, 0, 0], rest) });

/** An unsolicited neighbour advertisement that overrides: `target` is at the source's MAC. */
export const advertisement = (packet: Packet, target: string): string =>
  icmp6(packet, 136, bytes([0x20, 0, 0, 0], ipv6Bytes(target), [2, 1], macBytes(packet.source)));

/** A neighbour solicitation, by which the sender makes itself known. */
export const solicitation = (packet: Packet, target: string): string =>
  icmp6(packet, 135, bytes([0, 0, 0, 0], ipv6Bytes(target), [1, 1], macBytes(packet.source)));

/** A router advertisement with a lifetime and a prefix for addresses. */
export const routerAdvertisement = (packet: Packet, prefix: string): string => {
  const router = bytes([64, 0], word(1800), Array(8).fill(0));
  const lifetimes = bytes([0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]);
  return icmp6(packet, 134, bytes(router, [3, 4, 64, 0xc0], lifetimes, ipv6Bytes(prefix)));
};

export type Arp = Ethernet & {
  readonly operation: 'request' | 'reply';
  /** What the sender says of itself. */
  readonly sender: string;
  readonly asks: string;
};

export const arp = (packet: Arp): string => {
  const operation = packet.operation === 'request' ? 1 : 2;
  const who = bytes(macBytes(packet.source), ipv4Bytes(packet.sender));
  const whom = bytes(macBytes(netbackMac), ipv4Bytes(packet.asks));
  return ethernet(packet, 0x0806, bytes([0, 1, 8, 0, 6, 4], word(operation), who, whom));
};

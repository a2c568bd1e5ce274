/** Writes elements of sets and maps as nft's JSON (libnftables-json(5)), and reads them from it. */
import { reportedLinkName } from '../../address/link-name.ts';
import {
  forwardTarget,
  isForward,
  isVerdict,
  keyFields,
  type MapElement,
  type SetElement,
  type SetName,
} from '../state/element.ts';

const prefixJson = (text: string): unknown => {
  const [first = '', last] = text.split('-');
  if (last !== undefined) return { range: [first, last] };
  const [addr, len] = text.split('/');
  return len === undefined ? text : { prefix: { addr, len: Number(len) } };
};

/** The fields of the element's key. A prefix is always the last one. */
const fieldsJson = (element: SetElement): readonly unknown[] => {
  const fields = keyFields(element);
  return 'prefix' in element ? [...fields.slice(0, -1), prefixJson(element.prefix)] : fields;
};

/** The element as nft's JSON. A verdict that vifwatch never writes is left out: nft deletes by the key. */
export const elementJson = (element: SetElement): unknown => {
  const fields = fieldsJson(element);
  const key = fields.length === 1 ? fields[0] : { concat: fields };
  if (isVerdict(element)) {
    return element.chain === undefined ? key : [key, { jump: { target: element.chain } }];
  }
  return isForward(element) ? [key, forwardTarget(element)] : key;
};

type Interval = {
  readonly prefix?: { readonly addr: string; readonly len: number };
  readonly range?: readonly string[];
};

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return `${value}`;
  const { prefix, range } = value as Interval;
  if (range !== undefined) return range.join('-');
  if (prefix === undefined) throw new Error(`nft listed ${JSON.stringify(value)}`);
  return `${prefix.addr}/${prefix.len}`;
};

/** The key without what nft lists with it, such as a comment: another program may have added that. */
const bareKey = (listed: unknown): unknown =>
  typeof listed === 'object' && listed !== null && 'elem' in listed
    ? (listed.elem as { val: unknown }).val
    : listed;

const fieldsOf = (listed: unknown): readonly string[] => {
  const key = bareKey(listed);
  // Destructuring would fail here: a plain string has a method called "concat".
  const isConcat = typeof key === 'object' && key !== null && 'concat' in key;
  return (isConcat ? (key.concat as readonly unknown[]) : [key]).map(textOf);
};

/** The chain to which a verdict jumps. */
const targetOf = (verdict: unknown): string | undefined =>
  (verdict as { jump?: { target: string } }).jump?.target;

type MapName = MapElement['set'];

const isMap = (set: SetName): set is MapName =>
  set === 'out' || set === 'in' || set === 'forward_address' || set === 'forward_port';

const mapElement = (set: MapName, key: readonly string[], value: unknown): MapElement => {
  const [first = '', second] = key;
  switch (set) {
    case 'out':
    case 'in':
      return { set, link: reportedLinkName(first), chain: targetOf(value) };
    case 'forward_address':
      return { set, proto: first, port: Number(second), address: textOf(value) };
    case 'forward_port':
      return { set, proto: first, port: Number(second), toPort: Number(textOf(value)) };
  }
};

const setElement = (set: Exclude<SetName, MapName>, key: readonly string[]): SetElement => {
  const [first = '', second = '', third = ''] = key;
  switch (set) {
    case 'mac':
    case 'sender_mac':
      return { set, link: reportedLinkName(first), mac: second };
    case 'source4':
    case 'source6':
    case 'sender':
      return { set, link: reportedLinkName(first), mac: second, prefix: third };
    case 'address4':
    case 'address6':
    case 'network4':
    case 'network6':
      return { set, link: reportedLinkName(first), prefix: second };
    case 'live4':
    case 'live6':
    case 'vm_network4':
    case 'vm_network6':
      return { set, prefix: first };
    case 'gateway':
      return { set, address: first };
    case 'vif':
    case 'uplink':
    case 'mss_clamp':
    case 'masquerading':
      return { set, link: reportedLinkName(first) };
  }
};

/**
 * Reads an element from the listing of its set. It is undefined if its key has more or fewer fields: then
 * another program has given the set another type, and the static ruleset is not whole.
 * @throws Error if a field has a form that vifwatch never writes
 */
export const parseElement = (set: SetName, listed: unknown): SetElement | undefined => {
  const [listedKey, value] = isMap(set) ? (listed as readonly unknown[]) : [listed];
  const key = fieldsOf(listedKey);
  const element = isMap(set) ? mapElement(set, key, value) : setElement(set, key);
  return keyFields(element).length === key.length ? element : undefined;
};

/** nftables' JSON (libnftables-json(5)): elements to transactions, listings to elements. */
import { type Element, familyOf, keyed, keyOfElement, type SetName } from './kernel-state.ts';

const toJson = (part: string): unknown => {
  const [addr, len] = part.split('/');
  return len === undefined ? part : { prefix: { addr, len: Number(len) } };
};

const command = (verb: 'add' | 'delete', set: SetName, elements: readonly Element[]) => ({
  [verb]: {
    element: {
      family: familyOf(set),
      table: 'vifwatch',
      name: set,
      elem: elements.map(({ parts }) =>
        parts.length === 1 ? toJson(parts[0] ?? '') : { concat: parts.map(toJson) },
      ),
    },
  },
});

const perSet = (verb: 'add' | 'delete', elements: readonly Element[]) => {
  const sets = [...new Set(elements.map(({ set }) => set))];
  return sets.map((set) =>
    command(
      verb,
      set,
      elements.filter((element) => element.set === set),
    ),
  );
};

/** One transaction that only adds: about 3 ms, where one that deletes waits for an RCU grace period. */
export const additions = (elements: readonly Element[]): string =>
  JSON.stringify({ nftables: perSet('add', elements) });

/** One transaction that deletes; each element is added first, so that one already gone is no error. */
export const deletions = (elements: readonly Element[]): string =>
  JSON.stringify({ nftables: [...perSet('add', elements), ...perSet('delete', elements)] });

type Listed = { set?: { name: string; elem?: readonly unknown[] } };

const partOf = (value: unknown): string => {
  if (typeof value === 'string') return value;
  const { prefix } = value as { prefix?: { addr: string; len: number } };
  if (prefix === undefined) throw new Error(`nft listed ${JSON.stringify(value)}`);
  return `${prefix.addr}/${prefix.len}`;
};

const elementOf = (set: SetName, listed: unknown): Element => {
  // Not by destructuring: a plain string has a method called "concat".
  const isConcat = typeof listed === 'object' && listed !== null && 'concat' in listed;
  const parts = isConcat ? (listed.concat as readonly unknown[]) : [listed];
  return { set, parts: parts.map(partOf) };
};

const setNames: ReadonlySet<string> = new Set<SetName>([
  'mac',
  'address4',
  'address6',
  'network4',
  'network6',
  'uplink',
  'mss_clamp',
  'sender',
]);

/** The elements in listings of our tables, as `nft -j list table …` prints them. */
export const parseElements = (listings: readonly string[]): ReadonlyMap<string, Element> => {
  const sets = listings
    .flatMap((text) => (JSON.parse(text) as { nftables: readonly Listed[] }).nftables)
    .flatMap(({ set }) => (set !== undefined && setNames.has(set.name) ? [set] : []));
  return keyed(
    sets.flatMap(({ name, elem }) => (elem ?? []).map((e) => elementOf(name as SetName, e))),
    keyOfElement,
  );
};

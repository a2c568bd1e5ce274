/** A rule's VM fields: a name or a Qubes keyword. Each keyword is allowed in some fields only. */
import { quoted } from '../../text/printable.ts';
import type { Report, Word } from './words.ts';

/** The third field, the fourth field, and the parameters `target=` and `default_target=`. */
type TokenPlace = 'source' | 'destination' | 'target';

export type VmToken = {
  /**
   * `never`: it matches no VM that calls or is called here. `unknowable`: it depends on tags, types or UUIDs,
   * which only the peers themselves could tell.
   */
  readonly kind: 'every' | 'named' | 'unknowable' | 'never';
  readonly text: string;
};

type TokenClass = { readonly kind: VmToken['kind']; readonly places: readonly TokenPlace[] };

const columns = ['source', 'destination'] as const;
const everywhere = [...columns, 'target'] as const;

const keywords: ReadonlyMap<string, TokenClass> = new Map<string, TokenClass>([
  ['*', { kind: 'every', places: columns }],
  ['@anyvm', { kind: 'every', places: columns }],
  ['dom0', { kind: 'never', places: everywhere }],
  ['@adminvm', { kind: 'never', places: everywhere }],
  ['uuid:00000000-0000-0000-0000-000000000000', { kind: 'never', places: everywhere }],
  ['@default', { kind: 'never', places: ['destination'] }],
  ['@dispvm', { kind: 'never', places: ['destination', 'target'] }],
]);

/** Whether the text is a valid name of a VM, a tag or a type. */
const isName = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/.test(text);

/** Qubes compares UUIDs as text, and its own are in lower case. */
const isUuid = (text: string): boolean =>
  /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text);

type Family = TokenClass & {
  readonly prefix: string;
  readonly accepts: (value: string) => boolean;
};

const isNameOrUuid = (text: string): boolean =>
  text.startsWith('uuid:') ? isUuid(text.slice('uuid:'.length)) : isName(text);

/** The first matching prefix counts, so a longer prefix comes before a shorter one. */
const families: readonly Family[] = [
  { prefix: '@dispvm:@tag:', kind: 'never', places: columns, accepts: isName },
  { prefix: '@dispvm:', kind: 'never', places: everywhere, accepts: isNameOrUuid },
  { prefix: '@tag:', kind: 'unknowable', places: columns, accepts: isName },
  { prefix: '@type:', kind: 'unknowable', places: columns, accepts: isName },
  { prefix: 'uuid:', kind: 'unknowable', places: everywhere, accepts: isUuid },
];

/** Whether a VM can have the name. "dom0" is not valid: dom0 neither calls nor is called. */
export const isPolicyVmName = (text: string): boolean => isName(text) && text !== 'dom0';

const classOf = (text: string): TokenClass | undefined => {
  const keyword = keywords.get(text);
  if (keyword !== undefined) return keyword;
  const family = families.find(({ prefix }) => text.startsWith(prefix));
  if (family !== undefined) {
    return family.accepts(text.slice(family.prefix.length)) ? family : undefined;
  }
  return isName(text) ? { kind: 'named', places: everywhere } : undefined;
};

/** Parses a VM field; undefined after a report. */
export const parseVmToken = (
  { text, column }: Word,
  place: TokenPlace,
  report: Report,
): VmToken | undefined => {
  const tokenClass = classOf(text);
  if (tokenClass === undefined) {
    report(column, `${quoted(text)} is neither a valid VM name nor a keyword`);
    return undefined;
  }
  if (!tokenClass.places.includes(place)) {
    report(column, `${quoted(text)} cannot be a ${place}`);
    return undefined;
  }
  return { kind: tokenClass.kind, text };
};

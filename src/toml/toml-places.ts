/** Finds where each key and array item begins in a TOML text. The parser, smol-toml, keeps no positions. */
import { parse as parseToml } from 'smol-toml';

/** Keys and array indices, as in valibot's issues. */
export type KeyPath = readonly (string | number)[];

/** A position in the text, from 0. */
type Offset = number;

const blank = /[ \t]*/y;
const filler = /(?:\s|#[^\n]*)*/y;
/** White space, commas and comments between the items in brackets. */
const between = /(?:[\s,]|#[^\n]*)*/y;
const keyPart = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+/y;
const quotedText = /"""(?:\\[\s\S]|[^\\])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y;
// A space may stand between a date and its time.
const bare = /\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+/y;
const opening = /\[\[?/y;

const nameOf = (part: string): string =>
  /^["']/.test(part) ? (parseToml(`k = ${part}`)['k'] as string) : part;

/** Walks once over a text and notes the place of each key path. */
const walk = (text: string) => {
  const places = new Map<string, Offset>();
  /** The number of tables so far in each array of tables. */
  const tables = new Map<string, number>();
  let at: Offset = 0;

  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? '';
    at += found.length;
    return found;
  };

  const note = (path: KeyPath, offset: Offset): void => {
    const key = JSON.stringify(path);
    if (!places.has(key)) places.set(key, offset);
  };

  const takeKeys = (): string[] => {
    const keys: string[] = [];
    for (;;) {
      take(blank);
      const part = take(keyPart);
      if (part === '') return keys;
      keys.push(nameOf(part));
      take(blank);
      if (text[at] !== '.') return keys;
      at += 1;
    }
  };

  const takeValue = (path: KeyPath): void => {
    if (text[at] === '[') takeItems(path);
    else if (text[at] === '{') {
      at += 1;
      for (take(between); at < text.length && text[at] !== '}'; take(between)) takeAssignment(path);
      at += 1;
    } else if (take(quotedText) === '') take(bare);
  };

  const takeItems = (path: KeyPath): void => {
    at += 1;
    take(between);
    for (let index = 0; at < text.length && text[at] !== ']'; index += 1) {
      const start = at;
      note([...path, index], start);
      takeValue([...path, index]);
      take(between);
      if (at === start) return;
    }
    at += 1;
  };

  const takeAssignment = (base: KeyPath): void => {
    const start = at;
    const path = [...base];
    for (const key of takeKeys()) {
      path.push(key);
      note(path, start);
    }
    at = Math.max(text.indexOf('=', at), start) + 1;
    take(blank);
    takeValue(path);
  };

  /** Returns the path of the table that a header opens; within an array of tables, its last table. */
  const takeHeader = (bracket: string): KeyPath => {
    const start = at - bracket.length;
    const path: (string | number)[] = [];
    const keys = takeKeys();
    for (const [index, key] of keys.entries()) {
      path.push(key);
      note(path, start);
      const count = tables.get(JSON.stringify(path));
      const isNew = bracket === '[[' && index === keys.length - 1;
      if (isNew) tables.set(JSON.stringify(path), (count ?? 0) + 1);
      if (isNew || count !== undefined) path.push(isNew ? (count ?? 0) : (count ?? 1) - 1);
      note(path, start);
    }
    at = Math.max(text.indexOf(']', at), start) + bracket.length;
    return path;
  };

  const run = (): ReadonlyMap<string, Offset> => {
    let table: KeyPath = [];
    for (take(filler); at < text.length; take(filler)) {
      const bracket = text[at] === '[' ? take(opening) : '';
      if (bracket === '') takeAssignment(table);
      else table = takeHeader(bracket);
    }
    return places;
  };
  return run();
};

/**
 * Returns a function that finds a path's offset in the text, which must be valid TOML. If the text does not
 * contain the whole path, the function finds its longest prefix that the text contains, or returns 0.
 */
export const openPlaces = (text: string): ((path: KeyPath) => Offset) => {
  const places = walk(text);
  return (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const place = places.get(JSON.stringify(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return 0;
  };
};

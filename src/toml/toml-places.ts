/** Finds where each key and array item begins in a TOML text. The parser, smol-toml, keeps no positions. */
import { parse as parseToml } from 'smol-toml';
import { newPlace, type Offset, placeBelow, type TomlPlace, tableBelow } from './place-tree.ts';

/** A text, and the offset up to which it is read. */
type Cursor = { readonly text: string; at: Offset };

const blank = /[ \t]*/y;
const filler = /(?:\s|#[^\n]*)*/y;
/** White space, commas and comments between the items in brackets. */
const between = /(?:[\s,]|#[^\n]*)*/y;
const dot = /[ \t]*(?:\.[ \t]*)?/y;
const keyPart = /"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|[A-Za-z0-9_-]+/y;
const quotedText = /"""(?:\\[\s\S]|[^\\])*?"{3,5}|'''[\s\S]*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'/y;
// A space may stand between a date and its time.
const bare = /\d{4}-\d\d-\d\d \d\d:[^\s,\]}#]*|[^\s,\]}#]+/y;
const opening = /\[\[?/y;

/** Reads the pattern's match at the cursor, which may be empty. */
const take = (cursor: Cursor, pattern: RegExp): string => {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0] ?? '';
  cursor.at += found.length;
  return found;
};

/** Moves behind the next `mark`, and always forward. */
const takePast = (cursor: Cursor, mark: string): void => {
  cursor.at = Math.max(cursor.text.indexOf(mark, cursor.at), cursor.at) + mark.length;
};

/** Skips to the next item in brackets. Returns false at the closing bracket or the text's end. */
const seekItem = (cursor: Cursor, closing: string): boolean => {
  take(cursor, between);
  return cursor.at < cursor.text.length && cursor.text[cursor.at] !== closing;
};

const nameOf = (part: string): string =>
  /^["']/.test(part) ? (parseToml(`k = ${part}`)['k'] as string) : part;

const takeKeys = (cursor: Cursor): string[] => {
  const keys: string[] = [];
  take(cursor, blank);
  for (let part = take(cursor, keyPart); part !== ''; part = take(cursor, keyPart)) {
    keys.push(nameOf(part));
    take(cursor, dot);
  }
  return keys;
};

const takeItems = (cursor: Cursor, array: TomlPlace): void => {
  cursor.at += 1;
  for (let index = 0; seekItem(cursor, ']'); index += 1) {
    const start = cursor.at;
    takeValue(cursor, placeBelow(array, index, start));
    if (cursor.at === start) return;
  }
  cursor.at += 1;
};

const takeInlineTable = (cursor: Cursor, table: TomlPlace): void => {
  cursor.at += 1;
  while (seekItem(cursor, '}')) takeAssignment(cursor, table);
  cursor.at += 1;
};

const takeValue = (cursor: Cursor, place: TomlPlace): void => {
  const first = cursor.text[cursor.at];
  if (first === '[') takeItems(cursor, place);
  else if (first === '{') takeInlineTable(cursor, place);
  else if (take(cursor, quotedText) === '') take(cursor, bare);
};

const takeAssignment = (cursor: Cursor, table: TomlPlace): void => {
  const start = cursor.at;
  let place = table;
  for (const key of takeKeys(cursor)) place = placeBelow(place, key, start);
  takePast(cursor, '=');
  take(cursor, blank);
  takeValue(cursor, place);
};

const takeHeader = (cursor: Cursor, bracket: string, root: TomlPlace): TomlPlace => {
  const offset = cursor.at - bracket.length;
  const table = tableBelow(root, takeKeys(cursor), { isItem: bracket === '[[', offset });
  takePast(cursor, ']'.repeat(bracket.length));
  return table;
};

/** Returns the place of every key and array item in the text, which must be valid TOML. */
export const placesOf = (text: string): TomlPlace => {
  const cursor: Cursor = { text, at: 0 };
  const root = newPlace(0);
  let table = root;
  for (take(cursor, filler); cursor.at < text.length; take(cursor, filler)) {
    const bracket = take(cursor, opening);
    if (bracket === '') takeAssignment(cursor, table);
    else table = takeHeader(cursor, bracket, root);
  }
  return root;
};

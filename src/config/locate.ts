/** Where a key of a valid TOML text stands: the parser keeps no positions of what it could read. */

/** As in valibot's issues: keys, and indices into arrays. */
export type KeyPath = readonly (string | number)[];

export type Caret = {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly codeblock: string;
};

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

const headerOf = (path: KeyPath): { header: RegExp; nth: number } | undefined => {
  const [table, index] = path;
  if (path.length < 2 || typeof table !== 'string' || typeof index !== 'number') return undefined;
  return { header: new RegExp(`^\\s*\\[\\[\\s*${escapeRegExp(table)}\\s*\\]\\]`), nth: index };
};

const startOf = (lines: readonly string[], path: KeyPath): number => {
  const table = headerOf(path);
  if (table === undefined) return 0;
  const headers = lines.flatMap((line, number) => (table.header.test(line) ? [number] : []));
  return headers[table.nth] ?? 0;
};

/** The line and column of the last key in `path` that the text spells out; the first line if there is none. */
export const caretAt = (text: string, path: KeyPath): Caret => {
  const lines = text.split('\n');
  const start = startOf(lines, path);
  const keys = path.filter((part) => typeof part === 'string').reverse();
  for (const key of keys) {
    const assignment = new RegExp(`^\\s*("?)${escapeRegExp(key)}\\1\\s*=`);
    const found = lines.findIndex((line, number) => number >= start && assignment.test(line));
    if (found >= 0) return caret(lines, found, key);
  }
  return caret(lines, start, '');
};

const caret = (lines: readonly string[], number: number, key: string): Caret => {
  const line = lines[number] ?? '';
  const column = Math.max(line.indexOf(key), 0) + 1;
  const prefix = `${number + 1}:  `;
  const pointer = `${' '.repeat(prefix.length + column - 1)}^`;
  return { line: number + 1, column, codeblock: `${prefix}${line}\n${pointer}` };
};

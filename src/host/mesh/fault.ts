/** What is wrong with a mesh, or odd about it, and where. */
import { quoted } from '../../text/remark.ts';

/** Line and column count from 1. */
export type Place = { readonly file: string; readonly line: number; readonly column: number };

export type Fault = {
  readonly at: Place;
  /** A warning hinders nothing. */
  readonly is: 'error' | 'warning';
  /** What is wrong; and after a semicolon, the way out. */
  readonly text: string;
};

export const error = (at: Place, text: string): Fault => ({ at, is: 'error', text });

/** What else reads a file of the mesh has already put the place before its text: `file:line:column: text`. */
export const faultOf = (message: string, otherwise: Place): Fault => {
  const line = message.split('\n', 1)[0] ?? '';
  const [, file, number, column, text] = /^(.+?):(\d+):(\d+): (.*)$/.exec(line) ?? [];
  if (file === undefined || text === undefined) return error(otherwise, line);
  return error({ file, line: Number(number), column: Number(column) }, `${text}; correct it`);
};

/** Of a name that no VM has. */
export const unknownVm = (name: string): string => {
  if (name === 'dom0' || name === 'Domain-0') return `${name} is no VM of a mesh; remove it`;
  return `there is no VM ${quoted(name)}; add it to mesh.toml or correct the name`;
};

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** Without those that are said twice: first `file`, then the other files by name, each by line. */
export const inOrder = (faults: readonly Fault[], file: string): readonly Fault[] => {
  const key = ({ at }: Fault): string => (at.file === file ? '' : at.file);
  const unique = new Map(faults.map((fault) => [lineOf(fault), fault]));
  return [...unique.values()].sort(
    (a, b) =>
      byText(key(a), key(b)) ||
      a.at.line - b.at.line ||
      a.at.column - b.at.column ||
      byText(a.text, b.text),
  );
};

/** Names may hold anything, and what they hold must not end a line or be obeyed by a terminal. */
const onOneLine = (text: string): string =>
  text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );

/** As it is printed. */
export const lineOf = ({ at, is, text }: Fault): string =>
  onOneLine(`${at.file}:${at.line}:${at.column}: ${is === 'warning' ? 'warning: ' : ''}${text}`);

/** What a file is by its first bytes, by which the kernel goes when it is to run it. */
import { quoted } from '../../text/printable.ts';
import type { ReadAt } from './find-file.ts';

export type FileKind =
  | { readonly kind: 'elf' }
  | { readonly kind: 'script'; readonly interpreter: string }
  /** No program; `what` it is instead, for people. */
  | { readonly kind: 'other'; readonly what: string }
  /** Nothing that anybody would have put there on purpose. */
  | { readonly kind: 'nothing'; readonly what: string };

/** BINPRM_BUF_SIZE of Linux: it looks for the interpreter no further. */
const headBytes = 256;

/** Enough to see what was saved in the place of a program. */
const shownCharacters = 40;

/** Whatever the bytes. */
export const fileKind = (read: ReadAt): FileKind => {
  const text = read(0, headBytes).toString('latin1');
  if (text.startsWith('\x7fELF')) return { kind: 'elf' };
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(text) ?? [];
  if (interpreter !== undefined) return { kind: 'script', interpreter };
  const [line = ''] = text.trimStart().split('\n', 1);
  if (line === '') return { kind: 'nothing', what: 'is empty' };
  const begins = `it begins with ${quoted(line.slice(0, shownCharacters))}`;
  return /^<(!doctype|html|head|body|\?xml)/i.test(line)
    ? { kind: 'nothing', what: `is a web page, saved in the place of a file: ${begins}` }
    : { kind: 'other', what: `is no program: ${begins}` };
};

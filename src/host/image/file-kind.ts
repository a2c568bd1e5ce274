/** Finds a file's kind from its first bytes, as the kernel does before it runs the file. */
import { quoted } from '../../text/printable.ts';
import type { ReadAt } from './find-file.ts';

type FileKind =
  | { readonly kind: 'elf' }
  | { readonly kind: 'script'; readonly interpreter: string }
  /** Not a program; `what` describes the file to the operator. */
  | { readonly kind: 'other'; readonly what: string }
  /** An empty file or a web page, which nobody installs on purpose. */
  | { readonly kind: 'nothing'; readonly what: string };

/** BINPRM_BUF_SIZE of Linux: the kernel looks for the interpreter in these bytes only. */
const headBytes = 256;

/** Enough characters to recognise the file. */
const shownCharacters = 40;

/** Returns a file's kind. It accepts any bytes. */
export const fileKind = (read: ReadAt): FileKind => {
  const text = read(0, headBytes).toString('latin1');
  if (text.startsWith('\x7fELF')) return { kind: 'elf' };
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(text) ?? [];
  if (interpreter !== undefined) return { kind: 'script', interpreter };
  const [line = ''] = text.trimStart().split('\n', 1);
  if (line === '') return { kind: 'nothing', what: 'is empty' };
  const begins = `it begins with ${quoted(line.slice(0, shownCharacters))}`;
  return /^<(!doctype|html|head|body|\?xml)/i.test(line)
    ? { kind: 'nothing', what: `is a web page, saved instead of the file: ${begins}` }
    : { kind: 'other', what: `is not a program: ${begins}` };
};

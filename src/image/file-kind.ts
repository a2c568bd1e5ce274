/** What a file is by its first bytes, to which the kernel goes by when it is to run it. */
import { quoted } from '../call-policy/remark.ts';

export type FileKind =
  | { readonly is: 'elf' }
  | { readonly is: 'script'; readonly interpreter: string }
  /** `what` it is instead, for people. */
  | { readonly is: 'other'; readonly what: string };

/** BINPRM_BUF_SIZE of Linux: it looks for the interpreter no further. */
export const headBytes = 256;

/** Enough to see what was saved in the place of a program. */
const shownCharacters = 40;

/** Whatever the bytes. @param head the file's first bytes, or all of a shorter one */
export const fileKind = (head: Buffer): FileKind => {
  const text = head.toString('latin1');
  if (text.startsWith('\x7fELF')) return { is: 'elf' };
  const [, interpreter] = /^#![ \t]*([^ \t\n]+)/.exec(text) ?? [];
  if (interpreter !== undefined) return { is: 'script', interpreter };
  const [line = ''] = text.trimStart().split('\n', 1);
  if (line === '') return { is: 'other', what: 'is empty' };
  const isPage = /^<(!doctype|html|head|body|\?xml)/i.test(line);
  const kind = isPage ? 'is a web page, saved in the place of a file' : 'is no program';
  return { is: 'other', what: `${kind}: it begins with ${quoted(line.slice(0, shownCharacters))}` };
};

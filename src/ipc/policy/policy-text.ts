/** Parses one policy file: its rules and directives in order, and all its errors. */
import type { Diagnostic, Place } from '../../text/diagnostic.ts';
import { quoted } from '../../text/printable.ts';
import { type CallRule, parseRule, parseScope } from './call-rule.ts';
import { type Report, splitWords, type Word } from './words.ts';

/** The service and the argument of all rules in an `!include-service` file. */
export type ServiceWords = readonly [service: Word, argument: Word];

export type Directive = {
  readonly kind: 'include' | 'include-dir' | 'include-service';
  readonly path: string;
  /** The position of the path in the including file. */
  readonly place: Place;
  /** Set for `!include-service`, and for `!include` in a file that was included with `!include-service`. */
  readonly service: ServiceWords | undefined;
};

type Statement = { readonly kind: 'rule'; readonly rule: CallRule } | Directive;

type PolicyText = {
  readonly statements: readonly Statement[];
  readonly diagnostics: readonly Diagnostic[];
};

/** The greatest length of a line. The longest names in all fields and parameters need less. */
export const longestLine = 4096;

/** The most errors per file. More do not help to correct it, and each takes memory. */
const mostDiagnostics = 1000;

type Line = {
  readonly file: string;
  readonly line: number;
  readonly service: ServiceWords | undefined;
};

const parseDirective = (words: readonly Word[], at: Line, report: Report) => {
  const [directive, ...parameters] = words as [Word, ...Word[]];
  const name = directive.text.slice(1);
  const place = ({ column }: Word): Place => ({ file: at.file, line: at.line, column });
  if (name === 'compat-4.0') {
    const hint = 'write the rules into this directory instead';
    return report(directive.column, `the old files of !compat-4.0 are not supported: ${hint}`);
  }
  const oldFormat = at.service !== undefined;
  if (name === 'include' || (name === 'include-dir' && !oldFormat)) {
    const [path] = parameters;
    if (path === undefined || parameters.length > 1) {
      return report(directive.column, `!${name} takes one path`);
    }
    return { kind: name, path: path.text, place: place(path), service: at.service } as const;
  }
  if (name === 'include-service' && !oldFormat) {
    const [service, argument, path] = parameters;
    if (!service || !argument || !path || parameters.length > 3) {
      return report(directive.column, '!include-service takes a service, an argument and a path');
    }
    if (parseScope(service, argument, report) === undefined) return undefined;
    const words: ServiceWords = [service, argument];
    return { kind: name, path: path.text, place: place(path), service: words } as const;
  }
  const where = oldFormat ? ' in an !include-service file' : '';
  return report(directive.column, `unknown directive ${quoted(directive.text)}${where}`);
};

/**
 * Converts the old format as Qubes does. Commas may separate the parameters of the action, and nothing before it.
 * The replacements keep the length, and so all columns.
 */
const fromOldFormat = (text: string): string => {
  const line = text.replaceAll('$include:', '!include ').replaceAll('$', '@');
  const ends = /^[ \t]*[^ \t]+[ \t]+[^ \t]+/.exec(line)?.[0] ?? line;
  return ends + line.slice(ends.length).replaceAll(',', ' ');
};

const parseLine = (text: string, at: Line, report: Report): Statement | undefined => {
  if (text.length > longestLine) {
    report(longestLine + 1, `the line is longer than ${longestLine} characters`);
    return undefined;
  }
  // Qubes starts a new line at a CR, and other parsers do not. No rule may hide in a comment for either.
  const isComment = /^[ \t]*#/.test(text);
  const bad = (isComment ? /\r/u : /[^\t\x20-\x7e]/u).exec(text);
  if (bad !== null) {
    const code = bad[0].codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0');
    report(bad.index + 1, `the character U+${code} is not allowed here`);
    return undefined;
  }
  if (isComment) return undefined;
  const words = splitWords(at.service === undefined ? text : fromOldFormat(text));
  const [first] = words;
  if (first === undefined) return undefined;
  if (first.text.startsWith('!')) return parseDirective(words, at, report) ?? undefined;
  const all = [...(at.service ?? []), ...words];
  if (all.length < 5) {
    const fields = 'source destination action';
    const needed = at.service === undefined ? `service argument ${fields}` : fields;
    report(first.column, `fields are missing: a rule is "${needed}"`);
    return undefined;
  }
  const rule = parseRule(all, { file: at.file, line: at.line, column: first.column }, report);
  return rule && { kind: 'rule', rule };
};

const decode = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

/** Splits the bytes into lines before it decodes them, so that a bad byte affects only its own line. */
function* linesOf(bytes: Uint8Array): Generator<string | undefined> {
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    yield decode(bytes.subarray(start, end))?.replace(/\r$/, '');
    start = end + 1;
  }
}

/**
 * Parses a file's bytes. Never throws.
 * @param file the name for messages
 * @param service set if the file is included with `!include-service`
 */
export const parsePolicyText = (
  file: string,
  bytes: Uint8Array,
  service?: ServiceWords,
): PolicyText => {
  const statements: Statement[] = [];
  const diagnostics: Diagnostic[] = [];
  let line = 0;
  for (const text of linesOf(bytes)) {
    line += 1;
    const at = { file, line, service };
    const report: Report = (column, what) => {
      diagnostics.push({ severity: 'error', place: { file, line, column }, text: what });
    };
    if (diagnostics.length >= mostDiagnostics) {
      report(1, 'too many errors: the rest of the file was not checked');
      break;
    }
    if (text === undefined) report(1, 'the line is not UTF-8');
    else {
      const statement = parseLine(text, at, report);
      if (statement !== undefined) statements.push(statement);
    }
  }
  return { statements, diagnostics };
};

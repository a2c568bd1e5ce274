/** Reads an operator's xl configuration, and appends the mesh's settings to it. */
import type { Vm } from './mesh.ts';

export type Setting = {
  readonly key: string;
  readonly offset: number;
  /** The text in quotes; undefined for any other value. */
  readonly value: string | undefined;
};

type XlConfig = {
  readonly settings: readonly Setting[];
  /** The error that ended the parsing, if any. */
  readonly syntaxError: { readonly offset: number; readonly text: string } | undefined;
};

/**
 * The tokens of libxlu_cfg_l.l in Xen's tools: strings end on their line, and names are in lower case. A NUL
 * is not allowed, because a NUL in a string makes xl fail with an assertion.
 */
const token =
  /([ \t]+|#[^\n]*)|[a-z][_0-9a-z]*|[0-9][0-9a-fx]*|'(?:[^'\\\n\0]|\\[^\n\0])*'|"(?:[^"\\\n\0]|\\[^\n\0])*"|\+=|[=,;[\]\n]/y;

type Token = { readonly text: string; readonly offset: number };

const tokensOf = (text: string): { readonly tokens: readonly Token[]; readonly end: number } => {
  const tokens: Token[] = [];
  token.lastIndex = 0;
  let end = 0;
  while (end < text.length) {
    const found = token.exec(text);
    if (found === null) break;
    if (found[1] === undefined) tokens.push({ text: found[0], offset: end });
    end = token.lastIndex;
  }
  return { tokens, end };
};

const quotedIn = (word: string | undefined): string | undefined =>
  word !== undefined && /^["']/.test(word) ? word.slice(1, -1) : undefined;

/** Finds the settings of a configuration, and checks that the mesh's settings may follow them. */
export const parseXlConfig = (text: string): XlConfig => {
  const { tokens, end } = tokensOf(text);
  const settings: Setting[] = [];
  const open: number[] = [];
  for (const [index, { text: word, offset }] of tokens.entries()) {
    if (word === '[') open.push(offset);
    else if (word === ']') open.pop();
    const next = tokens[index + 1]?.text;
    if (open.length === 0 && (next === '=' || next === '+=')) {
      settings.push({ key: word, offset, value: quotedIn(tokens[index + 2]?.text) });
    }
  }
  if (end < text.length) {
    const character = JSON.stringify(String.fromCodePoint(text.codePointAt(end) ?? 0));
    return {
      settings,
      syntaxError: { offset: end, text: `xl cannot read the text from ${character} on` },
    };
  }
  const [first] = open;
  if (first === undefined) return { settings, syntaxError: undefined };
  return { settings, syntaxError: { offset: first, text: 'this list is not closed' } };
};

const vifOf = ({ addresses, mac }: Vm, backend: string): string => {
  const ip = addresses.map(({ text }) => text).join(' ');
  return [...(mac === undefined ? [] : [`mac=${mac}`]), `ip=${ip}`, `backend=${backend}`].join(',');
};

/** Returns the operator's text unchanged, with the mesh's settings at its end. */
export const xlConfigText = (vm: Vm, netVm: string | undefined): string => {
  const { config, name, addresses, commandLine } = vm;
  const hasVif = netVm !== undefined && addresses.length > 0;
  return [
    config.endsWith('\n') || config === '' ? config : `${config}\n`,
    '# Added by "vifwatch mesh compile": change mesh.toml instead.\n',
    `name="${name}"\n`,
    ...(hasVif ? [`vif=["${vifOf(vm, netVm)}"]\n`] : []),
    ...(commandLine === '' ? [] : [`extra="${commandLine}"\n`]),
    ...(name === netVm ? ['driver_domain=1\n'] : []),
  ].join('');
};

/** What a check finds: one line each. */

import { addonFile } from '../package.ts';
import { run } from '../system/command.ts';
import { connect } from '../xen/connect.ts';

export type Finding =
  | { readonly name: string; readonly fine: string }
  | { readonly name: string; readonly lacks: string };

/** @param hint what to do if `look` throws; its own message comes first */
export const probe = async (
  name: string,
  hint: string,
  look: () => Promise<string>,
): Promise<Finding> => {
  try {
    return { name, fine: await look() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { name, lacks: hint === '' ? message : `${message}; ${hint}` };
  }
};

export const addon = () =>
  probe('addon', '', async () => {
    const { loadNative } = await import('../xen/native.ts');
    loadNative();
    const libraries = await run(['ldd', addonFile]);
    const missing = libraries.split('\n').find((line) => line.includes('not found'));
    if (missing !== undefined) throw new Error(missing.trim());
    return `${addonFile} loads`;
  });

export const xenstore = () =>
  probe('xenstore', '', async () => {
    const { store, domid } = await connect();
    store.close();
    return `answers, this is domain ${domid}`;
  });

/** Names of files and what programs say may be anything: none is obeyed by a terminal, or looks like a finding of its own. */
const harmless = (text: string): string =>
  text
    .replaceAll(/(?![\n\t])\p{Cc}/gu, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
    .replaceAll(/\n(?=ok |FAIL )/g, '\n  ');

const line = (finding: Finding): string =>
  'fine' in finding
    ? `ok    ${harmless(`${finding.name}: ${finding.fine}`)}`
    : `FAIL  ${harmless(`${finding.name}: ${finding.lacks}`)}`;

/** Prints one line per finding and returns the exit status. */
export const report = async (findings: readonly Promise<Finding>[]): Promise<number> => {
  const found = await Promise.all(findings);
  process.stdout.write(`${found.map(line).join('\n')}\n`);
  return found.every((finding) => 'fine' in finding) ? 0 : 1;
};

/** Checks of a machine or a root file system. Each result is one line. */

import { addonFile } from '../package.ts';
import { run } from '../system/command.ts';
import { printableLines } from '../text/printable.ts';
import { connect } from '../xen/connect.ts';

export type CheckResult = {
  readonly kind: 'passed' | 'failed';
  readonly name: string;
  /** The result, or the reason why the check failed. */
  readonly text: string;
};

/** Runs a check. @param hint advice that follows the message if `look` throws; may be empty */
export const probe = async (
  name: string,
  hint: string,
  look: () => Promise<string>,
): Promise<CheckResult> => {
  try {
    return { kind: 'passed', name, text: await look() };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', name, text: hint === '' ? message : `${message}; ${hint}` };
  }
};

/** Checks that the native addon loads and that ldd finds its libraries. */
export const addon = () =>
  probe('addon', '', async () => {
    const { loadNative } = await import('../xen/native.ts');
    loadNative();
    const libraries = await run(['ldd', addonFile]);
    const missing = libraries.split('\n').find((line) => line.includes('not found'));
    if (missing !== undefined) throw new Error(missing.trim());
    return `${addonFile} loads`;
  });

/** Checks that xenstored answers. */
export const xenstore = () =>
  probe('xenstore', '', async () => {
    const { store, domid } = await connect();
    store.close();
    return `answers, this is domain ${domid}`;
  });

/**
 * Escapes control characters, and indents each line that would look like another result. File names and
 * the output of programs may contain anything.
 */
const harmless = (text: string): string =>
  printableLines(text).replaceAll(/\n(?=ok |FAIL )/g, '\n  ');

const line = ({ kind, name, text }: CheckResult): string =>
  `${kind === 'passed' ? 'ok  ' : 'FAIL'}  ${harmless(`${name}: ${text}`)}`;

/** Prints one line per check and returns the exit status. */
export const report = async (checks: readonly Promise<CheckResult>[]): Promise<number> => {
  const results = await Promise.all(checks);
  process.stdout.write(`${results.map(line).join('\n')}\n`);
  return results.every(({ kind }) => kind === 'passed') ? 0 : 1;
};

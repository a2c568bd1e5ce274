/**
 * Golden files: what others read of vifwatch, byte for byte. A test that fails says that a promise was broken; only a
 * change that is meant, and told in the CHANGELOG, may write a file anew (`vitest run --update`).
 */
import { expect } from 'vitest';

/** The program as it is delivered. */
export const main = new URL('../../dist/main.js', import.meta.url).pathname;

/** Compares with the file of that name beside this one. */
export const expectGolden = (name: string, lines: readonly string[]): Promise<void> =>
  expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`./${name}.golden`);

/** What differs from run to run in a document, and sentences for people, which may be put better at any time. */
const variable: Readonly<Record<string, string>> = {
  pid: 'a number',
  since: 'a time',
  version: 'a version',
  text: 'a sentence',
  what: 'a sentence',
  do: 'a sentence',
  trouble: 'a sentence',
  bytesIn: 'a number',
  bytesOut: 'a number',
  rttMs: 'a number',
  arp_foreign_ip: 'a number',
};

/** Which the kernel's own packets raise. */
const chatter: readonly string[] = ['unconfigured_vif', 'unconfigured_vif_target'];

/** The lines of a JSON document as it was printed, in its order and with its spaces. */
export const jsonLines = (text: string): readonly string[] =>
  text
    .trimEnd()
    .split('\n')
    .filter((line) => !chatter.some((counter) => line.includes(`"${counter}":`)))
    .map((line) => {
      const [, head, key = '', value = '', end = ''] = /^( *"(\w+)": )(.*?)(,?)$/.exec(line) ?? [];
      const kind = variable[key];
      if (kind === undefined || value === 'null' || /[[{]$/.test(value)) return line;
      if (kind === 'a sentence' && !value.includes(' ')) return line;
      return `${head}<${kind}>${end}`;
    });

/**
 * Golden files contain vifwatch's interfaces byte for byte. A failed test shows a broken promise. Only an
 * intended change that the CHANGELOG names may replace a golden file (`vitest run --update`).
 */
import { expect } from 'vitest';

/** The bundled program. */
export const main = new URL('../../dist/main.js', import.meta.url).pathname;

/** Compares the lines with the golden file `name` in this directory. */
export const expectGolden = (name: string, lines: readonly string[]): Promise<void> =>
  expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(`./${name}.golden`);

/** Keys whose values differ between runs, or are sentences for people, which may be reworded at any time. */
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

/** Counters that also count packets which kernels send by themselves. */
const chatter: readonly string[] = ['unconfigured_vif', 'unconfigured_vif_target'];

/** The lines of a printed JSON document, with its order and spaces; variable values are replaced. */
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

/** The names of all links, cheaply: no program is run. */
import { readFile } from 'node:fs/promises';

/** Of this process's network namespace, which /sys/class/net need not be. */
export const linkNames = async (): Promise<ReadonlySet<string>> => {
  const text = await readFile('/proc/self/net/dev', 'latin1');
  const names = text.split('\n').slice(2);
  return new Set(names.flatMap((line) => line.split(':', 1)[0]?.trim() || []));
};

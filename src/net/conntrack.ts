/** Connection tracking: forgetting flows. */
import { writeFile } from 'node:fs/promises';
import { run } from './command.ts';

const commands = (prefix: string): string[] => {
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  return ['-s', '-d'].map((side) => `-D -f ${family} ${side} ${prefix}\n`);
};

/**
 * Cuts every tracked flow from or to the addresses and prefixes; throws CommandError.
 * @param file where the commands are left: like nft, conntrack cannot read the socket that Node gives a child
 */
export const cutFlows = async (file: string, prefixes: readonly string[]): Promise<void> => {
  if (prefixes.length === 0) return;
  await writeFile(file, prefixes.flatMap(commands).join(''), { mode: 0o600 });
  await run(['conntrack', '-R', file]);
};

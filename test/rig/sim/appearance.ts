/** Waiting for a file to be made, without polling. */
import { type BigIntStats, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { TiedProcess } from './tied-process.ts';

const identity = (file: string): string | undefined => {
  const stats: BigIntStats | undefined = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.ino} ${stats.birthtimeNs}`;
};

/**
 * Starts a process and resolves with it once it has made the file; one that lies there already does not count.
 * Rejects with the process's log if it ends first, or after `seconds` (and then kills it).
 */
export const startUntil = async (
  file: string,
  seconds: number,
  start: () => TiedProcess,
): Promise<TiedProcess> => {
  const before = identity(file);
  const made = (): boolean => ![undefined, before].includes(identity(file));
  const giveUp = new AbortController();
  const appeared = new Promise<'made'>((resolve) => {
    watch(dirname(file), { signal: giveUp.signal }, () => made() && resolve('made'));
  });
  const late = new Promise<'late'>((resolve) => {
    const timer = setTimeout(() => resolve('late'), seconds * 1000);
    giveUp.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  const program = start();
  const outcome = await Promise.race([appeared, late, program.ended.then(() => 'ended' as const)]);
  giveUp.abort();
  if (outcome === 'made') return program;
  await program.kill();
  throw new Error(`${basename(file)}: its maker was ${outcome}\n${program.log()}`);
};

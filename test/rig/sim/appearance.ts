/** Waiting for a file to be made, without polling. */
import { type BigIntStats, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { hangMs } from '../../support/until.ts';
import type { TiedProcess } from './tied-process.ts';

const identity = (file: string): string | undefined => {
  const stats: BigIntStats | undefined = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.ino} ${stats.birthtimeNs}`;
};

/**
 * Starts a process and resolves with it once it has made the file; one that lies there already does not count.
 * If the process ends first or hangs, kills it and rejects with its log.
 */
export const startUntil = async (file: string, start: () => TiedProcess): Promise<TiedProcess> => {
  const before = identity(file);
  const made = (): boolean => ![undefined, before].includes(identity(file));
  const giveUp = new AbortController();
  const appeared = new Promise<'made'>((resolve) => {
    watch(dirname(file), { signal: giveUp.signal }, () => made() && resolve('made'));
  });
  const late = new Promise<'late'>((resolve) => {
    const timer = setTimeout(() => resolve('late'), hangMs);
    giveUp.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    const program = start();
    const ended = program.ended.then(() => 'ended' as const);
    const outcome = await Promise.race([appeared, late, ended]);
    if (outcome === 'made') return program;
    await program.kill();
    throw new Error(`${basename(file)}: its maker was ${outcome}\n${program.log()}`);
  } finally {
    giveUp.abort();
  }
};

/** Waits for the creation of a file without polling. */
import { type BigIntStats, statSync, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { hangMs } from '../../support/until.ts';
import type { TiedProcess } from './tied-process.ts';

const identity = (file: string): string | undefined => {
  const stats: BigIntStats | undefined = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stats && `${stats.ino} ${stats.birthtimeNs}`;
};

/**
 * Starts a process and resolves with it when it has made the file; an older file does not count.
 * @throws Error with the process's log if it ends first or hangs; a hung process is killed
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
    const what = outcome === 'late' ? 'hangs' : 'ended early';
    throw new Error(`${basename(file)} was not made: its program ${what}\n${program.log()}`);
  } finally {
    giveUp.abort();
  }
};

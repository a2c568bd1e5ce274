import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { step } from './progress.ts';

/** The repository's own directory. */
export const repository = resolve(import.meta.dirname, '../../..');

/** Where everything lies that the lab builds once and keeps, for all checkouts. */
export const cacheDirectory = (): string =>
  resolve(process.env['VIFWATCH_CACHE'] ?? join(homedir(), '.cache/vifwatch/lab'));

/** A name for a set of inputs: another one as soon as any of them differs. */
export const keyOf = (...inputs: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);

/**
 * The directory that `build` once filled for `key`. It is built aside and renamed when complete, so
 * an interrupted build leaves nothing that looks finished, and two at once do not meet.
 */
export const cached = async (
  name: string,
  key: string,
  build: (directory: string) => Promise<void>,
): Promise<string> => {
  const cache = cacheDirectory();
  const finished = join(cache, `${name}-${key}`);
  if (!existsSync(finished)) {
    await mkdir(cache, { recursive: true });
    await removeUnused(cache, name);
    const unfinished = await mkdtemp(join(cache, `${name}-unfinished.`));
    await step(`building ${name}`, () => build(unfinished));
    await rename(unfinished, finished).catch(async (error) => {
      await rm(unfinished, { recursive: true });
      if (!existsSync(finished)) throw error;
    });
  }
  const now = new Date();
  await utimes(finished, now, now);
  return finished;
};

/** Longer than any run: who uses something has said so since. */
const unusedMs = 60 * 60 * 1000;

const removeUnused = async (cache: string, name: string): Promise<void> => {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(`${name}-`)) continue;
    const { mtimeMs } = await stat(join(cache, entry));
    if (Date.now() - mtimeMs > unusedMs) await rm(join(cache, entry), { recursive: true });
  }
};

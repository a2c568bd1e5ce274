import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { step } from './progress.ts';

/** The repository's root directory. */
export const repository = resolve(import.meta.dirname, '../../..');

/** The directory where the lab keeps everything that it builds once, for all checkouts. */
export const cacheDirectory = (): string =>
  resolve(process.env['VIFWATCH_CACHE'] ?? join(homedir(), '.cache/vifwatch/lab'));

/** A hash of the inputs as 16 hex digits. */
export const keyOf = (...inputs: readonly string[]): string =>
  createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);

/**
 * Returns the cached directory for `key`, and lets `build` fill it first if it does not exist. The
 * build happens in a temporary directory that is renamed at the end, so an interrupted build leaves
 * no incomplete result and simultaneous builds do not disturb each other.
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

/** Milliseconds. Longer than any run, and each run updates the time of the directories that it uses. */
const unusedMs = 60 * 60 * 1000;

const removeUnused = async (cache: string, name: string): Promise<void> => {
  for (const entry of await readdir(cache)) {
    if (!entry.startsWith(`${name}-`)) continue;
    const { mtimeMs } = await stat(join(cache, entry));
    if (Date.now() - mtimeMs > unusedMs) await rm(join(cache, entry), { recursive: true });
  }
};

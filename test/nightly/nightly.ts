/**
 * `npm run nightly [--list] [--seed NUMBER] [PART ...]` runs everything that takes too long for `npm test`,
 * and prints a line with a figure for each promise. Without parts it runs all of them; `--list` shows the
 * parts; `--seed` repeats the random inputs of an earlier run.
 */
import { randomInt } from 'node:crypto';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { slowness } from '../support/slowness.ts';
import { keepPromises } from './keep-promises.ts';
import { promises } from './promises.ts';

const wholeMinutes = 120;
const usage = 64;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const complain = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const parts = [...new Set(promises.map(({ part }) => part))];

const listParts = (): void => {
  for (const part of parts) {
    const own = promises.filter((promise) => promise.part === part);
    const minutes = own.reduce((sum, { usualMinutes }) => sum + usualMinutes, 0);
    say(`${part}, usually ${minutes} min`);
    for (const { promise, bound } of own) say(`    ${promise} (${bound})`);
  }
};

/** On SIGINT, SIGTERM and SIGHUP, aborts a signal that ends the running command with all its processes. */
const openInterruption = () => {
  const controller = new AbortController();
  let by: NodeJS.Signals | undefined;
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      by = signal;
      controller.abort();
    });
  }
  return { signal: controller.signal, by: () => by };
};

/** Checks the bound of the whole run, multiplied by the machine's slowness. */
const isWholeInTime = async (minutes: number): Promise<boolean> => {
  const bound = wholeMinutes * (await slowness());
  const isMet = minutes <= bound;
  const figure = `${minutes.toFixed(1)} min (at most ${bound.toFixed(0)} min on this machine)`;
  say(`${isMet ? 'ok  ' : 'MISS'}  all parts together end within two hours: ${figure}`);
  return isMet;
};

/** Runs the wanted parts; resolves with the exit status. */
const run = async (wanted: readonly string[], seed: number): Promise<number> => {
  const interruption = openInterruption();
  const isWhole = wanted.length === 0;
  const began = performance.now();
  const areMet = await keepPromises(
    promises.filter(({ part }) => isWhole || wanted.includes(part)),
    {
      directory: '.cache/nightly',
      seed,
      signal: interruption.signal,
      print: say,
      explain: complain,
    },
  );
  const by = interruption.by();
  if (by !== undefined) return 128 + constants.signals[by];
  const isInTime = !isWhole || (await isWholeInTime((performance.now() - began) / 60_000));
  return areMet && isInTime ? 0 : 1;
};

process.chdir(new URL('../..', import.meta.url).pathname);
const { values, positionals } = parseArgs({
  options: { list: { type: 'boolean', default: false }, seed: { type: 'string' } },
  allowPositionals: true,
});
const seed = Number(values.seed ?? randomInt(2 ** 31));
const unknown = positionals.filter((part) => !parts.includes(part));
if (unknown.length > 0 || !Number.isInteger(seed)) {
  complain(`usage: nightly [--list] [--seed NUMBER] [PART ...]; parts: ${parts.join(', ')}`);
  process.exitCode = usage;
} else if (values.list) {
  listParts();
} else {
  process.exitCode = await run(positionals, seed);
}

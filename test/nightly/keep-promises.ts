/** Runs the commands of promises one after the other, and prints each verdict. */
import { join } from 'node:path';
import type { Judgement } from './judge.ts';
import type { NightlyPromise } from './promises.ts';
import { endOfLog, lineOf, type Result } from './report.ts';
import { type Ended, runCommand } from './run-command.ts';

/** A command counts as hung after this multiple of its usual time. */
const hangFactor = 20;

export type Surroundings = {
  readonly directory: string;
  /** The seed of all random inputs. */
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Prints the line of a promise. */
  readonly print: (line: string) => void;
  /** Prints details of a miss. */
  readonly explain: (text: string) => void;
};

const judged = ({ judge }: NightlyPromise, { output, failure }: Ended): Judgement => {
  try {
    const { figure, isMet } = judge(output);
    if (failure === undefined) return { figure, isMet };
    return { figure: `${failure}; ${figure}`, isMet: false };
  } catch (error) {
    const reason = error instanceof Error ? error.message : `${error}`;
    return { figure: failure ?? reason, isMet: false };
  }
};

const resultOf = async (
  promise: NightlyPromise,
  { directory, seed, signal }: Surroundings,
): Promise<{ result: Result; output: string }> => {
  const log = join(directory, promise.part, `${promise.name}.log`);
  const command = { argv: promise.argv, env: { ...promise.env, VIFWATCH_SEED: `${seed}` } };
  const hangMs = hangFactor * promise.usualMinutes * 60_000;
  const ended = await runCommand(command, { log, hangMs, signal });
  const { part, promise: sentence, bound } = promise;
  const { figure, isMet } = judged(promise, ended);
  const result = { part, promise: sentence, bound, figure, isMet, minutes: ended.minutes, log };
  return { result, output: ended.output };
};

/** Runs the promises; resolves with whether all are met. It ends early when the signal is aborted. */
export const keepPromises = async (
  promises: readonly NightlyPromise[],
  surroundings: Surroundings,
): Promise<boolean> => {
  const partWidth = Math.max(...promises.map(({ part }) => part.length));
  let areAllMet = promises.length > 0;
  for (const promise of promises) {
    const { result, output } = await resultOf(promise, surroundings);
    surroundings.print(lineOf(result, partWidth));
    if (!result.isMet) {
      areAllMet = false;
      surroundings.explain(endOfLog(output));
    }
    if (surroundings.signal.aborted) return false;
  }
  return areAllMet;
};

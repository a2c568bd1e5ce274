import { dirname } from 'node:path';
import type { Toolstack } from '../host.ts';
import { must, type Run } from './command.ts';
import { until } from './until.ts';

/** Writes a file in a domain, and makes its directory if it is missing. */
export const writeFileIn = async (
  run: Run,
  path: string,
  text: string,
  mode = '644',
): Promise<void> => {
  const script = 'mkdir -p "$1" && printf %s "$3" >"$2" && chmod "$4" "$2"';
  await must(run, ['sh', '-c', script, 'write', dirname(path), path, text, mode]);
};

/** Runs a command with a text as its standard input. */
export const runWithInput = (
  run: Run,
  argv: readonly string[],
  input: string,
): Promise<Toolstack> =>
  run(['sh', '-c', 'input=$1; shift; printf %s "$input" | "$@"', 'feed', input, ...argv]);

/** Starts a command in the background, with its output appended to `log`; resolves with its process id. */
export const startIn = (run: Run, argv: readonly string[], log: string): Promise<string> => {
  const script = 'log=$1; shift; setsid "$@" >>"$log" 2>&1 & echo $!';
  return must(run, ['sh', '-c', script, 'start', log, ...argv]);
};

/** Resolves when the process has ended. */
export const endOf = async (run: Run, pid: string): Promise<void> => {
  await until(
    async () => (await run(['test', '-e', `/proc/${pid}`])).status !== 0 || undefined,
    () => `process ${pid} does not end`,
  );
};

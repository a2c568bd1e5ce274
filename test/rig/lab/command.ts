import type { Toolstack } from '../host.ts';

/** Runs a command somewhere in the lab. */
export type Run = (argv: readonly string[]) => Promise<Toolstack>;

/** Runs a command that must succeed, and resolves with what it printed; throws with its complaints. */
export const must = async (run: Run, argv: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await run(argv);
  if (status === 0) return stdout.trimEnd();
  throw new Error(`${argv.join(' ')}: status ${status}: ${stderr}${stdout}`);
};

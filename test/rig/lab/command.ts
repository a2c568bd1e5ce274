import type { Toolstack } from '../host.ts';

/** Runs a command in one of the lab's domains. */
export type Run = (argv: readonly string[]) => Promise<Toolstack>;

/** Runs a command; resolves with its output. @throws Error with its output if it fails */
export const must = async (run: Run, argv: readonly string[]): Promise<string> => {
  const { status, stdout, stderr } = await run(argv);
  if (status === 0) return stdout.trimEnd();
  throw new Error(`${argv.join(' ')}: status ${status}: ${stderr}${stdout}`);
};

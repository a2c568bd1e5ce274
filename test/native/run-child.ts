/** Runs child programs for tests that end or hang a process, or examine a whole process. */
import { rmSync } from 'node:fs';
import { execa } from 'execa';
import { bundleProgram } from '../ipc/vchan/ends.ts';
import { hangMs } from '../support/until.ts';

export type ChildOptions = {
  readonly args?: readonly string[];
  readonly env: Record<string, string>;
  /** The copy of the package whose addon the program uses; the package itself by default. */
  readonly root?: string;
  /** The command, with arguments, that runs the program. */
  readonly runner?: readonly string[];
};

/** Runs `test/native/child/<name>.ts`, which must succeed; resolves with the JSON it printed. */
export const runChild = async (name: string, options: ChildOptions): Promise<unknown> => {
  const { args = [], env, root, runner = [] } = options;
  const program = await bundleProgram(new URL(`child/${name}.ts`, import.meta.url), root);
  try {
    const [file = '', ...argv] = [...runner, process.execPath, '--expose-gc', program, ...args];
    // A hanging wait in the child times out first, since its error says more.
    const { stdout } = await execa(file, argv, { env, timeout: 2 * hangMs });
    return JSON.parse(stdout);
  } finally {
    rmSync(program);
  }
};

/** Programs of their own for what a test cannot do to its own process: end it, hang it. */
import { rmSync } from 'node:fs';
import { execa } from 'execa';
import { bundleProgram } from '../ipc/vchan/ends.ts';
import { hangMs } from '../support/until.ts';

export type ChildOptions = {
  readonly args?: readonly string[];
  readonly env: Record<string, string>;
  /** A copy of the package, whose addon it is to take. */
  readonly root?: string;
  /** What runs the program. */
  readonly runner?: readonly string[];
};

/** Runs `test/native/child/<name>.ts`, which must succeed; resolves with the JSON it printed. */
export const runChild = async (name: string, options: ChildOptions): Promise<unknown> => {
  const { args = [], env, root, runner = [] } = options;
  const program = await bundleProgram(new URL(`child/${name}.ts`, import.meta.url), root);
  try {
    const [file = '', ...argv] = [...runner, process.execPath, '--expose-gc', program, ...args];
    // A wait in the child that hangs ends first, and tells more.
    const { stdout } = await execa(file, argv, { env, timeout: 2 * hangMs });
    return JSON.parse(stdout);
  } finally {
    rmSync(program);
  }
};

/** Programs of their own for what a test cannot do to its own process: end it, hang it. */
import { execa } from 'execa';

const packageRoot = new URL('../../', import.meta.url).pathname;

export type ChildOptions = {
  readonly args?: readonly string[];
  readonly env: Record<string, string>;
  /** Of the package, or of a copy of it. */
  readonly root?: string;
};

/** Runs `test/native/child/<name>.ts`, which must succeed; resolves with the JSON it printed. */
export const runChild = async (name: string, options: ChildOptions): Promise<unknown> => {
  const { args = [], env, root = packageRoot } = options;
  const file = `${root}test/native/child/${name}.ts`;
  const argv = ['--expose-gc', '--import', 'tsx', file, ...args];
  const { stdout } = await execa(process.execPath, argv, { env, timeout: 60_000 });
  return JSON.parse(stdout);
};

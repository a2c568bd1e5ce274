/** Example output trees for tests. */
import type { Tree } from '../../../src/host/mesh/compile.ts';

/** An output tree with these files and an empty table. */
export const treeOf = (files: Readonly<Record<string, string>>): Tree =>
  new Map(
    Object.entries({ 'dom0/mesh': 'vifwatch-mesh 1\n', ...files }).map(([path, text]) => [
      path,
      { text, mode: text.startsWith('#!') ? 0o755 : 0o644 },
    ]),
  );

/** Twenty files in ten directories; each file has the number in its text. */
export const exampleTree = (number: number): Tree =>
  treeOf(
    Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`vms/${at % 10}/${at}`, `${number}\n`.repeat(100)]),
    ),
  );

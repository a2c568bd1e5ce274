/** Writes two trees by turns into the directory that is its argument, until it is killed. */
import { writeTree } from '../../../../src/host/mesh/write-tree.ts';
import { exampleTree } from '../tree-of.ts';

const [, , directory = ''] = process.argv;
for (let turn = 0; ; turn += 1) {
  await writeTree(directory, exampleTree(turn % 2));
  if (turn === 1) process.stdout.write('writing\n');
}

/** `vifwatch mesh compile`: writes the files for dom0 and each VM from one mesh file. */

import { checkMesh } from '../../host/mesh/check.ts';
import { compileMesh } from '../../host/mesh/compile.ts';
import { lineOf } from '../../host/mesh/mesh-diagnostic.ts';
import { requireOutsideOutput } from '../../host/mesh/output-guard.ts';
import { readMesh, readScripts } from '../../host/mesh/read-mesh.ts';
import { filesOf } from '../../host/mesh/sources.ts';
import { writeTree } from '../../host/mesh/write-tree.ts';
import { invalid } from '../../toml/strict-toml.ts';
import { errorCount, sizeOf } from './mesh-summary.ts';

/**
 * Prints the diagnostics on standard error, and writes the output if none of them is an error.
 * @throws VifwatchError CONFIG_INVALID if nothing was written
 */
export const compile = async (file: string, output: string): Promise<void> => {
  const sources = await readMesh(file);
  const { diagnostics, mesh } = checkMesh(sources);
  for (const diagnostic of diagnostics) process.stderr.write(`${lineOf(diagnostic)}\n`);
  if (mesh === undefined) throw invalid(file, `${errorCount(diagnostics)}; nothing was written`);
  await requireOutsideOutput(output, filesOf(sources));
  await writeTree(output, compileMesh(mesh, await readScripts()));
  process.stdout.write(`${sizeOf(mesh)} -> ${output}\n`);
};

/** `vifwatch mesh check` and `vifwatch mesh compile`: both print all diagnostics of a mesh. */

import { checkMesh } from '../../host/mesh/check.ts';
import { compileMesh } from '../../host/mesh/compile.ts';
import type { Mesh } from '../../host/mesh/mesh.ts';
import { lineOf } from '../../host/mesh/mesh-diagnostic.ts';
import { readMesh, readScripts } from '../../host/mesh/read-mesh.ts';
import { filesOf, type Sources } from '../../host/mesh/sources.ts';
import { requireOutsideOutput, writeTree } from '../../host/mesh/write-tree.ts';
import { pluralize } from '../../text/pluralize.ts';
import { invalid } from '../../toml/strict-toml.ts';

/** Returns "3 VMs, 2 pairs". */
const sizeOf = ({ vms, pairs }: Mesh): string =>
  `${pluralize(vms.length, 'VM')}, ${pluralize(pairs.length, 'pair')}`;

/** Prints the diagnostics. @throws VifwatchError CONFIG_INVALID if one of them is an error */
const checked = (file: string, sources: Sources, output: NodeJS.WriteStream, effect = ''): Mesh => {
  const { diagnostics, mesh } = checkMesh(sources);
  for (const diagnostic of diagnostics) output.write(`${lineOf(diagnostic)}\n`);
  if (mesh !== undefined) return mesh;
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  throw invalid(file, `${pluralize(errors, 'error')}${effect}`);
};

/**
 * Prints the diagnostics on standard output. Returns the exit status.
 * @throws VifwatchError CONFIG_INVALID if one of them is an error
 */
export const checkFile = async (file: string): Promise<number> => {
  const mesh = checked(file, await readMesh(file), process.stdout);
  process.stdout.write(`ok: ${sizeOf(mesh)}\n`);
  return 0;
};

/**
 * Prints the diagnostics on standard error, and writes the files for dom0 and each VM if none of them is an
 * error. Returns the exit status.
 * @throws VifwatchError CONFIG_INVALID if nothing was written
 */
export const compile = async (file: string, output: string): Promise<number> => {
  const sources = await readMesh(file);
  const mesh = checked(file, sources, process.stderr, '; nothing was written');
  await requireOutsideOutput(output, filesOf(sources));
  await writeTree(output, compileMesh(mesh, await readScripts()));
  process.stdout.write(`${sizeOf(mesh)} -> ${output}\n`);
  return 0;
};

/** `vifwatch mesh check`: prints the diagnostics of `vifwatch mesh compile`, and writes nothing. */

import { checkMesh } from '../../host/mesh/check.ts';
import { lineOf } from '../../host/mesh/mesh-diagnostic.ts';
import { readMesh } from '../../host/mesh/read-mesh.ts';
import { invalid } from '../../toml/strict-toml.ts';
import { errorCount, sizeOf } from './mesh-summary.ts';

/**
 * Prints the diagnostics on standard output.
 * @throws VifwatchError CONFIG_INVALID if one of them is an error
 */
export const checkFile = async (file: string): Promise<void> => {
  const { diagnostics, mesh } = checkMesh(await readMesh(file));
  for (const diagnostic of diagnostics) process.stdout.write(`${lineOf(diagnostic)}\n`);
  if (mesh === undefined) throw invalid(file, errorCount(diagnostics));
  process.stdout.write(`ok: ${sizeOf(mesh)}\n`);
};

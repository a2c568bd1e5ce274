/** `vifwatch mesh check`: what `vifwatch mesh compile` would say. */

import { checkMesh } from '../../host/mesh/check.ts';
import { lineOf } from '../../host/mesh/mesh-diagnostic.ts';
import { readMesh } from '../../host/mesh/read-mesh.ts';
import { invalid } from '../../toml/strict-toml.ts';
import { errorCount, sizeOf } from './mesh-summary.ts';

/** Says on standard output what is wrong, and throws CONFIG_INVALID if anything is. */
export const checkFile = async (file: string): Promise<void> => {
  const { diagnostics, mesh } = checkMesh(await readMesh(file));
  for (const diagnostic of diagnostics) process.stdout.write(`${lineOf(diagnostic)}\n`);
  if (mesh === undefined) throw invalid(file, errorCount(diagnostics));
  process.stdout.write(`ok: ${sizeOf(mesh)}\n`);
};

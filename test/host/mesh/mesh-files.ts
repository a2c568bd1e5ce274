/** Checks and compiles meshes that a test gives as text. */
import { join } from 'node:path';
import { checkMesh } from '../../../src/host/mesh/check.ts';
import { compileMesh } from '../../../src/host/mesh/compile.ts';
import { lineOf } from '../../../src/host/mesh/mesh-diagnostic.ts';
import { readMesh, readScripts } from '../../../src/host/mesh/read-mesh.ts';
import { directoryWith } from '../../support/directory.ts';

export const exampleDirectory = new URL('example/', import.meta.url).pathname;

export const exampleFile = join(exampleDirectory, 'mesh.toml');

/** The diagnostics for the mesh.toml of these files, one line each. */
export const diagnosticsOf = async (files: Readonly<Record<string, string>>): Promise<string[]> => {
  const directory = directoryWith(files);
  const { diagnostics } = checkMesh(await readMesh(join(directory, 'mesh.toml')));
  return diagnostics.map((diagnostic) => lineOf(diagnostic).replaceAll(`${directory}/`, ''));
};

/** Compiles a mesh; resolves with the text of each output file, by path. */
export const compiled = async (file: string): Promise<ReadonlyMap<string, string>> => {
  const { diagnostics, mesh } = checkMesh(await readMesh(file));
  if (mesh === undefined) throw new Error(diagnostics.map(lineOf).join('\n'));
  const tree = compileMesh(mesh, await readScripts());
  return new Map([...tree].map(([path, { text }]) => [path, text]));
};

/** One text of all files, each after a line with its path. */
export const listing = (files: ReadonlyMap<string, string>): string =>
  [...files].map(([path, text]) => `==> ${path}\n${text}`).join('\n');

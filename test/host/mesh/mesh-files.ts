/** Meshes made of text, and what is said of them. */
import { join } from 'node:path';
import { checkMesh } from '../../../src/host/mesh/check.ts';
import { compileMesh } from '../../../src/host/mesh/compile.ts';
import { lineOf } from '../../../src/host/mesh/mesh-diagnostic.ts';
import { readMesh, readScripts } from '../../../src/host/mesh/read-mesh.ts';
import { directoryWith } from '../../support/directory.ts';

export const exampleDirectory = new URL('example/', import.meta.url).pathname;

export const exampleFile = join(exampleDirectory, 'mesh.toml');

/** What is wrong with the mesh.toml of these files, a line each. */
export const diagnosticsOf = async (files: Readonly<Record<string, string>>): Promise<string[]> => {
  const directory = directoryWith(files);
  const { diagnostics } = checkMesh(await readMesh(join(directory, 'mesh.toml')));
  return diagnostics.map((diagnostic) => lineOf(diagnostic).replaceAll(`${directory}/`, ''));
};

/** Every output file's text, by path. */
export const compiled = async (file: string): Promise<ReadonlyMap<string, string>> => {
  const { diagnostics, mesh } = checkMesh(await readMesh(file));
  if (mesh === undefined) throw new Error(diagnostics.map(lineOf).join('\n'));
  const tree = compileMesh(mesh, await readScripts());
  return new Map([...tree].map(([path, { text }]) => [path, text]));
};

/** Files one after the other, each under its path. */
export const listing = (files: ReadonlyMap<string, string>): string =>
  [...files].map(([path, text]) => `==> ${path}\n${text}`).join('\n');

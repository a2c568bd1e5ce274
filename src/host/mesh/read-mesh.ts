/** Reads mesh.toml and the files that it names. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { loadPolicy } from '../../ipc/config/load-policy.ts';
import { dom0Directory, profileDirectory } from '../../package.ts';
import { invalid } from '../../toml/strict-toml.ts';
import { parseMesh } from './mesh-file.ts';
import type { Source, Sources } from './sources.ts';

/** Whole, or not at all: bytes that are no text would not come out as they went in. */
const decode = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

const why = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'does not exist';
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8';
  return `cannot be read: ${message}`;
};

const readSource = async (file: string): Promise<Source> => {
  try {
    return { file, text: decode(await readFile(file)) };
  } catch (error) {
    return { file, unreadable: why(error) };
  }
};

const listProfiles = async (): Promise<readonly string[]> =>
  (await readdir(profileDirectory))
    .filter((name) => name.endsWith('.toml'))
    .map((name) => name.slice(0, -'.toml'.length))
    .sort();

/** What it names is relative to it. Throws CONFIG_INVALID if it is no mesh file at all. */
export const readMesh = async (file: string): Promise<Sources> => {
  const source = await readSource(file);
  if (!('text' in source)) throw invalid(file, source.unreadable);
  const mesh = parseMesh(file, source.text);
  const beside = (name: string): string => (isAbsolute(name) ? name : join(dirname(file), name));
  const names = [...mesh.vms.values()].flatMap(({ config, rules }) =>
    rules === undefined ? [config] : [config, rules],
  );
  const files = new Map<string, Source>();
  for (const name of new Set(names)) files.set(name, await readSource(beside(name)));
  const policyDirectory = beside(mesh.policy ?? '');
  const policy = mesh.policy === undefined ? undefined : await loadPolicy(policyDirectory);
  return { mesh, policy, policyDirectory, files, profiles: await listProfiles() };
};

/** What of the package runs in dom0, by name. */
export const readScripts = async (): Promise<ReadonlyMap<string, string>> => {
  const scripts = new Map<string, string>();
  for (const name of await readdir(dom0Directory)) {
    scripts.set(name, await readFile(join(dom0Directory, name), 'utf8'));
  }
  return scripts;
};

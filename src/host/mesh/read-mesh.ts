/** Reads mesh.toml and the files that it names. */
import { readdir, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { loadPolicy } from '../../ipc/config/load-policy.ts';
import { listProfiles } from '../../network/config/policies.ts';
import { dom0Directory } from '../../package.ts';
import { isMissingFile } from '../../system/missing-file.ts';
import { invalid } from '../../toml/strict-toml.ts';
import { parseMesh } from './mesh-file.ts';
import type { Source, Sources } from './sources.ts';

/** Decodes UTF-8, and throws if it is invalid: a replaced character would change the operator's text. */
const decode = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);

const why = (error: unknown): string => {
  if (isMissingFile(error)) return 'does not exist';
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return 'is not UTF-8';
  return `cannot be read: ${message}`;
};

const readSource = async (file: string): Promise<Source> => {
  try {
    return { file, kind: 'text', text: decode(await readFile(file)) };
  } catch (error) {
    return { file, kind: 'unreadable', reason: why(error) };
  }
};

/**
 * Reads mesh.toml and all files that it names, relative to it.
 * @throws VifwatchError CONFIG_INVALID if mesh.toml itself cannot be read or does not match the schema
 */
export const readMesh = async (file: string): Promise<Sources> => {
  const source = await readSource(file);
  if (source.kind === 'unreadable') throw invalid(file, source.reason);
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

/** Reads the package's scripts for dom0, by name. */
export const readScripts = async (): Promise<ReadonlyMap<string, string>> => {
  const scripts = new Map<string, string>();
  for (const name of await readdir(dom0Directory)) {
    scripts.set(name, await readFile(join(dom0Directory, name), 'utf8'));
  }
  return scripts;
};

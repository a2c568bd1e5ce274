/** An OpenRC service of ours in a root file system. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageRoot } from '../../package.ts';
import { requireExecutable } from './binary.ts';
import { fileKind } from './file-kind.ts';
import { findFile, findRegularFile, isThere, withFile } from './find-file.ts';

export type ServiceName = 'vifwatch' | 'vifwatch-agent';

const runlevels = '/etc/runlevels';

/** Those that are entered when the VM starts. */
const runlevelsOf = (root: string, service: ServiceName): readonly string[] => {
  if (!isThere(root, runlevels)) return [];
  const names = readdirSync(findFile(root, runlevels).file).filter((name) => name !== 'shutdown');
  return names.filter((name) => isThere(root, `${runlevels}/${name}/${service}`));
};

/** Throws an Error that says what is wrong. */
const inspectScript = (root: string, path: string): Buffer => {
  const found = findRegularFile(root, path);
  requireExecutable(path, found);
  const contents = withFile(found.file, fileKind);
  if ('what' in contents) throw new Error(`${path} ${contents.what}`);
  if (contents.kind === 'elf' || basename(contents.interpreter) !== 'openrc-run') {
    throw new Error(`${path} is no script for openrc-run`);
  }
  requireExecutable(contents.interpreter, findRegularFile(root, contents.interpreter));
  return readFileSync(found.file);
};

/** Throws an Error that says what is wrong, with the way out. */
export const inspectService = (root: string, service: ServiceName): string => {
  const path = `/etc/init.d/${service}`;
  const original = join(packageRoot, `openrc/${service}.initd`);
  let script: Buffer;
  try {
    script = inspectScript(root, path);
  } catch (error) {
    throw new Error(
      `${(error as Error).message}; install openrc, and the script: install -m 755 ${original} ${join(root, path)}`,
    );
  }
  const levels = runlevelsOf(root, service);
  if (levels.length === 0) {
    throw new Error(
      `it is in no runlevel, so that it never starts: chroot ${root} rc-update add ${service} default`,
    );
  }
  const same = script.equals(readFileSync(original))
    ? 'as in the package'
    : 'not that of the package';
  return `${path} is ${same}; in runlevel ${levels.join(', ')}`;
};

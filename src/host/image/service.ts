/** Checks vifwatch's OpenRC services in a root file system. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { packageRoot } from '../../package.ts';
import { requireExecutable } from './binary.ts';
import { fileKind } from './file-kind.ts';
import { findFile, findRegularFile, isThere, withFile } from './find-file.ts';

export type ServiceName = 'vifwatch' | 'vifwatch-agent';

const runlevels = '/etc/runlevels';

/** Returns the service's runlevels except "shutdown", which is not entered at boot. */
const runlevelsOf = (root: string, service: ServiceName): readonly string[] => {
  if (!isThere(root, runlevels)) return [];
  const names = readdirSync(findFile(root, runlevels).file).filter((name) => name !== 'shutdown');
  return names.filter((name) => isThere(root, `${runlevels}/${name}/${service}`));
};

/** Reads the service's script. Throws an Error if it cannot run. */
const inspectScript = (root: string, path: string): Buffer => {
  const found = findRegularFile(root, path);
  requireExecutable(path, found);
  const contents = withFile(found.file, fileKind);
  if ('what' in contents) throw new Error(`${path} ${contents.what}`);
  if (contents.kind === 'elf' || basename(contents.interpreter) !== 'openrc-run') {
    throw new Error(`${path} is not a script for openrc-run`);
  }
  requireExecutable(contents.interpreter, findRegularFile(root, contents.interpreter));
  return readFileSync(found.file);
};

/** Checks that the service can run and is in a runlevel. Throws an Error that also says what to do. */
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
      `it is in no runlevel, and so never starts: chroot ${root} rc-update add ${service} default`,
    );
  }
  const same = script.equals(readFileSync(original))
    ? 'matches the package'
    : 'differs from the package';
  return `${path} ${same}; in runlevel ${levels.join(', ')}`;
};

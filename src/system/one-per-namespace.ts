/** Ensures that only one process of a kind runs in a network namespace. */
import { constants, rmSync } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { VifwatchError } from '../errors.ts';

/** Locks the file of this descriptor until the descriptor is closed; false if another process has the lock. */
type LockFile = (descriptor: number) => boolean;

type Claim = { readonly close: () => Promise<void> };

/** Only root can make files here, so that no other user can hold the lock. The directory is empty after a boot. */
const directory = '/run';

const flags = constants.O_CREAT | constants.O_RDONLY | constants.O_NOFOLLOW;

/** Whether the path still names the open file: the holder of the lock removes the file when it ends. */
const isAt = async (file: FileHandle, path: string): Promise<boolean> => {
  const there = await stat(path).catch(() => undefined);
  return there?.ino === (await file.stat()).ino;
};

/** The claim; its file also goes if the process exits without `close`. */
const claimOf = (file: FileHandle, path: string): Claim => {
  const remove = (): void => rmSync(path, { force: true });
  process.once('exit', remove);
  return {
    close: async () => {
      process.off('exit', remove);
      remove();
      await file.close();
    },
  };
};

/**
 * Claims `name` in the network namespace until `close`, or until this process ends in any way.
 * @throws VifwatchError ALREADY_RUNNING, or RUNTIME_DIR if there can be no lock
 */
export const claimNamespace = async (
  name: 'vifwatch' | 'vifwatch-agent',
  lockFile: LockFile,
): Promise<Claim> => {
  const namespace = await stat('/proc/self/ns/net');
  const path = `${directory}/${name}.${namespace.ino}.lock`;
  for (;;) {
    const file = await open(path, flags, 0o600).catch((error: Error) => {
      throw new VifwatchError('RUNTIME_DIR', `cannot make the lock ${path}: ${error.message}`);
    });
    if (!lockFile(file.fd)) {
      await file.close();
      throw new VifwatchError('ALREADY_RUNNING', `another ${name} serves this network namespace`);
    }
    if (await isAt(file, path)) return claimOf(file, path);
    await file.close();
  }
};

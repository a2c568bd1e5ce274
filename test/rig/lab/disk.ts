import { copyFile, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';

/** Where the domains mount the disk, as the script `disk` does it. */
const mountPoint = '/disk';

/** The path of a program that an image leaves to the disk. */
export const onDisk = (program: string): string => join(mountPoint, basename(program));

/** Ample for Node; what is not used is a hole in the file. */
const size = '256M';

/**
 * A disk with large programs of the Debian tree `root`: one copy for all domains, of which each
 * keeps in its memory only what it runs. Not compressed, because the emulator is slow at that.
 */
export const buildDisk = async (root: string, programs: readonly string[]): Promise<string> => {
  const directory = await cached('disk', keyOf(root, ...programs), async (made) => {
    const stage = join(made, 'root');
    await mkdir(stage);
    for (const program of programs) {
      await copyFile(join(root, program), join(stage, basename(program)));
    }
    // Blocks of 4096, because a CD drive has sectors of 2048.
    const options = ['-q', '-t', 'ext2', '-b', '4096', '-m', '0', '-d', stage];
    await execa('mke2fs', [...options, join(made, 'image'), size]);
    await rm(stage, { recursive: true });
  });
  return join(directory, 'image');
};

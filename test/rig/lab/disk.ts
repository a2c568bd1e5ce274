import { copyFile, mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';

/** The domains' mount point of the disk; the script `disk` mounts it. */
const mountPoint = '/disk';

/** The path in a domain of a program that is on the disk. */
export const onDisk = (program: string): string => join(mountPoint, basename(program));

/** Enough for Node; unused blocks take no space, because the file is sparse. */
const size = '256M';

/**
 * Builds a disk with large programs of the Debian tree `root`. All domains share it, and each keeps
 * in its memory only the pages that it runs. It is not compressed, because the emulator
 * decompresses slowly.
 */
export const buildDisk = async (root: string, programs: readonly string[]): Promise<string> => {
  const directory = await cached('disk', keyOf(root, ...programs), async (made) => {
    const stage = join(made, 'root');
    await mkdir(stage);
    for (const program of programs) {
      await copyFile(join(root, program), join(stage, basename(program)));
    }
    // Blocks of 4096 bytes, because a CD drive has sectors of 2048 bytes.
    const options = ['-q', '-t', 'ext2', '-b', '4096', '-m', '0', '-d', stage];
    await execa('mke2fs', [...options, join(made, 'image'), size]);
    await rm(stage, { recursive: true });
  });
  return join(directory, 'image');
};

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';
import { kernelRelease } from './debian-root.ts';

/** Offsets in a bzImage's header, from the kernel's x86 boot protocol. */
const setupSectors = 0x1f1;
const payloadOffset = 0x248;
const payloadLength = 0x24c;

/**
 * Decompresses the Debian tree's kernel. The emulator would take seconds for it at each start of a
 * domain; this machine takes one second once.
 */
export const decompressedKernel = async (root: string): Promise<string> => {
  const directory = await cached('kernel', keyOf(root), async (made) => {
    const image = await readFile(join(root, 'boot', `vmlinuz-${await kernelRelease(root)}`));
    const start = ((image[setupSectors] ?? 0) + 1) * 512 + image.readUInt32LE(payloadOffset);
    // The last four bytes are the decompressed size and not part of the xz stream.
    const payload = image.subarray(start, start + image.readUInt32LE(payloadLength) - 4);
    await execa('xz', ['--decompress', '--stdout'], {
      input: payload,
      stdout: { file: join(made, 'vmlinux') },
      buffer: false,
    });
  });
  return join(directory, 'vmlinux');
};

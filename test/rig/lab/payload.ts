import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, open, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { gateway4, gateway6 } from '../host.ts';
import { repository } from './cache.ts';
import { temporaryDirectory } from './temporary.ts';
import { labHangMs } from './until.ts';

/** Bytes. The disk must have the same size when the snapshot is made and when it is resumed. */
const size = 8 * 1024 * 1024;
/** Bytes at the start that never change, because net-vm's kernel has already read them in the snapshot. */
const preamble = 64 * 1024;

const packageDirectory = 'usr/lib/node_modules/vifwatch';
const parts = ['package.json', 'dist', 'rules', 'openrc', 'dom0', 'native/build/Release/xen.node'];
const configuration = `uplink = ["eth0"]\ngateway = ["${gateway4}", "${gateway6}"]\n`;

/** Node is ten times slower in the emulator, where the service's memory-saving options would cost seconds. */
const serviceSettings = `ready_within=${labHangMs / 1000}\nnode_options=""\n`;

/** Makes an empty disk image. */
export const writeBlankPayload = async (image: string): Promise<void> => {
  const file = await open(image, 'w');
  await file.truncate(size);
  await file.close();
};

/** Makes a disk image with the current build of vifwatch, in the layout of an installation. */
export const writePayload = async (image: string): Promise<void> => {
  const stage = await temporaryDirectory('stage');
  await install(stage);
  const pack = execa('tar', ['--create', '--directory', stage, '.'], { encoding: 'buffer' });
  const { stdout: archive } = await pack;
  await rm(stage, { recursive: true });
  if (preamble + archive.length > size) throw new Error(`vifwatch has grown over ${size} bytes`);
  const file = await open(image, 'w');
  await file.truncate(size);
  await file.write(archive, 0, archive.length, preamble);
  await file.close();
};

/** Programs for VMs: a peer for libxenvchan's own program, and a caller that never stops. */
const programs = [
  new URL('./programs/vchan-echo.ts', import.meta.url).pathname,
  new URL('./programs/caller.ts', import.meta.url).pathname,
];

/** The directory of the mesh file, the files that it names, and the services of all VMs. */
const mesh = new URL('./mesh', import.meta.url).pathname;

const install = async (root: string): Promise<void> => {
  const target = join(root, packageDirectory);
  for (const part of parts) {
    const source = join(repository, part);
    if (!existsSync(source)) throw new Error(`${source} is missing: run npm run build`);
    await cp(source, join(target, part), {
      recursive: true,
      filter: (path) => !path.endsWith('.map'),
    });
  }
  const format = ['--bundle', '--platform=node', '--format=esm', '--log-level=warning'];
  const output = `--outdir=${join(target, 'dist')}`;
  await execa('esbuild', [...programs, ...format, output], { preferLocal: true });
  for (const directory of ['usr/bin', 'etc/init.d', 'etc/conf.d', 'etc/vifwatch']) {
    await mkdir(join(root, directory), { recursive: true });
  }
  await symlink(`../lib/node_modules/vifwatch/dist/main.js`, join(root, 'usr/bin/vifwatch'));
  for (const service of ['vifwatch', 'vifwatch-agent']) {
    await cp(join(target, `openrc/${service}.initd`), join(root, 'etc/init.d', service));
    await chmod(join(root, 'etc/init.d', service), 0o755);
    await writeFile(join(root, 'etc/conf.d', service), serviceSettings);
  }
  await writeFile(join(root, 'etc/vifwatch/vifwatch.toml'), configuration);
  await cp(join(mesh, 'services'), join(root, 'etc/vifwatch/services'), { recursive: true });
  const compile = ['mesh', 'compile', join(mesh, 'mesh.toml'), '-o', join(root, 'mesh')];
  await execa('node', [join(target, 'dist/main.js'), ...compile]);
};

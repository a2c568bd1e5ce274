import { existsSync } from 'node:fs';
import { cp, lstat, mkdir, readdir, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';
import { kernelRelease } from './debian-root.ts';
import { onDisk } from './disk.ts';

/** The contents of a domain's root file system; paths are paths in it. */
export type ImageSpec = {
  /** Programs of the Debian tree, with the libraries they need. */
  readonly programs: readonly string[];
  /** Programs on the disk; only their libraries go into the image. */
  readonly diskPrograms: readonly string[];
  /** Files and directories of the Debian tree, copied unchanged. */
  readonly copies: readonly string[];
  /** Kernel modules, with the modules they need. */
  readonly modules: readonly string[];
  /** Empty directories. */
  readonly directories: readonly string[];
  /** Symbolic links: path and target. */
  readonly links: Readonly<Record<string, string>>;
  /** The lab's own texts by path. Those in `/lab` and in a directory `scripts` are executable. */
  readonly files: Readonly<Record<string, string>>;
  /** Files of this machine, by path in the image. A new content always has a new source path. */
  readonly brought: Readonly<Record<string, string>>;
};

/**
 * Packs an initial RAM file system from the Debian tree `root`, or finds it in the cache; resolves with its
 * path.
 */
export const buildImage = async (name: string, root: string, spec: ImageSpec): Promise<string> => {
  const directory = await cached(
    `${name}-image`,
    keyOf(root, JSON.stringify(spec)),
    async (made) => {
      const stage = join(made, 'root');
      await mkdir(stage);
      await fill(root, stage, spec);
      await pack(stage, join(made, 'image'));
      await rm(stage, { recursive: true });
    },
  );
  return join(directory, 'image');
};

const fill = async (root: string, stage: string, spec: ImageSpec): Promise<void> => {
  for (const directory of spec.directories)
    await mkdir(join(stage, directory), { recursive: true });
  for (const path of spec.copies) await copy(root, stage, path);
  for (const program of spec.programs) await copy(root, stage, program);
  for (const program of [...spec.programs, ...spec.diskPrograms]) {
    for (const library of await libraries(root, program)) await copy(root, stage, library);
  }
  await addModules(root, stage, spec.modules);
  for (const [path, source] of Object.entries(spec.brought)) {
    await cp(source, await place(stage, path));
  }
  for (const [path, text] of Object.entries(spec.files)) {
    const mode = path.startsWith('/lab/') || path.includes('/scripts/') ? 0o755 : 0o644;
    await writeFile(await place(stage, path), text, { mode });
  }
  for (const program of spec.diskPrograms) {
    await symlink(onDisk(program), await place(stage, program));
  }
  for (const [path, target] of Object.entries(spec.links)) {
    await symlink(target, await place(stage, path));
  }
  await linkBusybox(stage);
};

/** Makes the path's parent directory in `stage`; resolves with the whole path. */
const place = async (stage: string, path: string): Promise<string> => {
  const target = join(stage, path);
  await mkdir(dirname(target), { recursive: true });
  return target;
};

const copy = async (root: string, stage: string, path: string): Promise<void> => {
  if (existsSync(join(stage, path))) return;
  await cp(join(root, await real(root, path)), await place(stage, path), {
    recursive: true,
    verbatimSymlinks: true,
  });
};

/** Resolves symbolic links as if `root` were `/`. */
const real = async (root: string, path: string): Promise<string> => {
  if (!(await lstat(join(root, path))).isSymbolicLink()) return path;
  const target = await readlink(join(root, path));
  return real(root, resolve(dirname(path), target));
};

/** The program's libraries, as the dynamic loader lists them inside the tree. */
const libraries = async (root: string, program: string): Promise<string[]> => {
  const loader = '/lib64/ld-linux-x86-64.so.2';
  const { stdout } = await execa('chroot', [root, loader, '--list', program]);
  return [...stdout.matchAll(/(?:=> |^\s*)(\/\S+) \(0x/gm)].map(([, path = '']) => path);
};

const addModules = async (root: string, stage: string, names: readonly string[]): Promise<void> => {
  const release = await kernelRelease(root);
  const modules = join('/lib/modules', release);
  await copy(root, stage, join(modules, 'modules.builtin'));
  await copy(root, stage, join(modules, 'modules.order'));
  const select = ['--dirname', root, '--set-version', release, '--show-depends', '--all'];
  const { stdout } = await execa('modprobe', [...select, ...names]);
  const objects = stdout.matchAll(/\/lib\/modules\/\S+\.ko/g);
  for (const [object] of objects) await copy(root, stage, object);
  await execa('depmod', ['--basedir', stage, release]);
};

/** Links every busybox applet that the image does not have as a program. */
const linkBusybox = async (stage: string): Promise<void> => {
  const busybox = join(stage, 'bin/busybox');
  const { stdout } = await execa(busybox, ['--list-full']);
  const present = new Set<string>();
  for (const directory of ['bin', 'sbin', 'usr/bin', 'usr/sbin']) {
    const entries = existsSync(join(stage, directory)) ? await readdir(join(stage, directory)) : [];
    for (const entry of entries) present.add(entry);
  }
  const missing = stdout.split('\n').filter((applet) => !present.has(basename(applet)));
  for (const applet of missing) await symlink('/bin/busybox', await place(stage, applet));
};

const pack = async (stage: string, archive: string): Promise<void> => {
  const entries = await readdir(stage, { recursive: true });
  await execa('cpio', ['--create', '--format=newc', '--owner=0:0', '--quiet', '--null'], {
    cwd: stage,
    input: ['.', ...entries.sort()].join('\0'),
    stdout: { file: archive },
    buffer: false,
  });
};

/** Builds root file systems from this machine's own files, for tests that break them. */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { agentModules, netVmModules, translationModules } from '../../../src/host/image/modules.ts';
import { packageRoot } from '../../../src/package.ts';
import { run } from '../../../src/system/command.ts';
import { directoryWith } from '../../support/directory.ts';

const main = join(packageRoot, 'dist/main.js');

export const release = '6.1.0-test';
export const packageAt = 'usr/lib/node_modules/vifwatch';

/** This machine's programs, and their paths in the root. */
const programs = {
  [process.execPath]: 'usr/bin/node',
  '/usr/bin/env': 'usr/bin/env',
  '/sbin/ip': 'usr/sbin/ip',
  '/usr/sbin/nft': 'usr/sbin/nft',
  '/usr/sbin/conntrack': 'usr/sbin/conntrack',
  // The check only asks whether it exists.
  '/bin/true': 'usr/sbin/openrc-run',
  [main.replace('dist/main.js', 'native/build/Release/xen.node')]:
    `${packageAt}/native/build/Release/xen.node`,
};

/** The libraries of these files, by the paths at which the dynamic loader finds them. */
const librariesOf = async (files: readonly string[]): Promise<ReadonlySet<string>> => {
  const stdout = await run(['ldd', ...files]);
  return new Set([...stdout.matchAll(/(?:=> |^\t)(\/\S+) \(0x/gm)].map(([, path = '']) => path));
};

const moduleFile = (name: string): string => `kernel/${name}.ko.xz`;

/** Writes net-vm's modules as files, one of which needs another; the agent's modules are built in. */
const writeModules = (root: string): void => {
  const directory = `${root}/usr/lib/modules/${release}`;
  mkdirSync(`${directory}/kernel`, { recursive: true });
  const loaded = [...netVmModules, ...translationModules].map(({ name }) => name);
  const names = [...loaded.filter((name) => name !== 'nft_counter'), 'nfnetlink'];
  for (const name of names) writeFileSync(`${directory}/${moduleFile(name)}`, '');
  const lines = names.map((name) => {
    const needs = name === 'nf_tables' ? ` ${moduleFile('nfnetlink')}` : '';
    return `${moduleFile(name)}:${needs}\n`;
  });
  writeFileSync(`${directory}/modules.dep`, lines.join(''));
  const builtin = agentModules.map(({ name }) => `kernel/${name}.ko\n`);
  writeFileSync(`${directory}/modules.builtin`, builtin.join(''));
};

const installPackage = (root: string): void => {
  for (const part of ['package.json', 'dist', 'rules', 'openrc']) {
    const isCode = (path: string): boolean => !path.endsWith('.map');
    const target = `${root}/${packageAt}/${part}`;
    cpSync(join(packageRoot, part), target, { recursive: true, filter: isCode });
  }
  symlinkSync('../lib/node_modules/vifwatch/dist/main.js', `${root}/usr/bin/vifwatch`);
  for (const service of ['vifwatch', 'vifwatch-agent']) {
    const script = `${root}/etc/init.d/${service}`;
    cpSync(join(packageRoot, `openrc/${service}.initd`), script);
    chmodSync(script, 0o755);
    symlinkSync(`/etc/init.d/${service}`, `${root}/etc/runlevels/default/${service}`);
  }
};

/**
 * Makes a root that is complete for net-vm and for an agent. It has absolute links, which lead to wrong files
 * if the check follows them on this machine.
 */
export const makeRoot = async (): Promise<string> => {
  const above = directoryWith();
  // Tests also read it as an ordinary user.
  chmodSync(above, 0o755);
  const root = join(above, 'root');
  const directories = [
    ...['usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'etc/init.d', 'etc/runlevels/default'],
    'etc/vifwatch',
  ];
  for (const directory of directories) mkdirSync(`${root}/${directory}`, { recursive: true });
  for (const name of ['bin', 'sbin', 'lib', 'lib64'])
    symlinkSync(`/usr/${name}`, `${root}/${name}`);
  const libraries = await librariesOf(Object.keys(programs));
  const files = [...Object.entries(programs), ...[...libraries].map((path) => [path, path])];
  for (const [source = '', path = ''] of files) {
    const target = `${root}/${path.replace(/^\/(lib|lib64)\//, 'usr/$1/')}`;
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(source, target);
  }
  copyFileSync('/bin/busybox', `${root}/usr/bin/busybox`);
  symlinkSync('/bin/busybox', `${root}/usr/sbin/modprobe`);
  writeModules(root);
  installPackage(root);
  writeFileSync(`${root}/etc/vifwatch/vifwatch.toml`, 'uplink = ["eth0"]\nmasquerade = true\n');
  return root;
};

/** Copies a root with hard links: a test must replace a file, not write into it. */
export const copyRoot = async (root: string, name: string): Promise<string> => {
  const copy = `${root}-${name}`;
  await execa('cp', ['--archive', '--link', root, copy]);
  return copy;
};

/** Removes what is at this path, if anything, and writes a new file there. */
export const replace = (file: string, content: string | Buffer, mode = 0o755): void => {
  rmSync(file, { force: true });
  writeFileSync(file, content);
  chmodSync(file, mode);
};

/** Runs the bundled program, as this user if one is given; resolves on any exit status. */
export const vifwatch = async (args: readonly string[], user?: number) => {
  const options = { reject: false, ...(user === undefined ? {} : { uid: user, gid: user }) };
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], options);
  return { status: exitCode, lines: stdout.split('\n'), stderr };
};

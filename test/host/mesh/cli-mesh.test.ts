/** `vifwatch mesh check` and `vifwatch mesh compile` as commands. */
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { directoryWith } from '../../support/directory.ts';
import { exampleDirectory } from './mesh-files.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;

const run = async (cwd: string, ...args: readonly string[]) => {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, 'mesh', ...args], {
    cwd,
    reject: false,
  });
  return { exitCode, stdout, stderr };
};

const example = (): string => {
  const directory = directoryWith();
  cpSync(exampleDirectory, directory, { recursive: true });
  return directory;
};

/** A text that names every path in the directory and its bytes. */
const contents = (directory: string): string =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path} ${readFileSync(path, 'base64')}` : path;
    })
    .sort()
    .join('\n');

test('two compiles of a good mesh give identical bytes', async () => {
  const directory = example();
  expect(await run(directory, 'check', 'mesh.toml')).toEqual({
    exitCode: 0,
    stdout: 'ok: 5 VMs, 3 pairs',
    stderr: '',
  });
  expect(existsSync(join(directory, 'out'))).toBe(false);
  const compiled = { exitCode: 0, stdout: '5 VMs, 3 pairs -> out', stderr: '' };
  expect(await run(directory, 'compile', 'mesh.toml', '-o', 'out')).toEqual(compiled);
  const first = contents(join(directory, 'out'));
  expect(await run(directory, 'compile', 'mesh.toml', '--output', 'out')).toEqual(compiled);
  expect(contents(join(directory, 'out'))).toBe(first);
});

test('a bad mesh gets all its diagnostics with usable paths, and no file changes', async () => {
  const directory = example();
  await run(directory, 'compile', 'mesh.toml', '-o', 'out');
  writeFileSync(join(directory, 'bad.toml'), '[vm.a]\nconfig = "none"\nserve = ["b", "c"]\n');
  const before = contents(directory);
  const lines = [
    'bad.toml:2:1: none does not exist; correct the name, or create the file',
    'bad.toml:3:10: there is no VM "b"; add it to mesh.toml or correct the name',
    'bad.toml:3:15: there is no VM "c"; add it to mesh.toml or correct the name',
  ];
  expect(await run(directory, 'compile', 'bad.toml', '-o', 'out')).toEqual({
    exitCode: 78,
    stdout: '',
    stderr: [...lines, 'vifwatch: CONFIG_INVALID: bad.toml: 3 errors; nothing was written'].join(
      '\n',
    ),
  });
  expect(await run(directory, 'check', 'bad.toml')).toEqual({
    exitCode: 78,
    stdout: lines.join('\n'),
    stderr: 'vifwatch: CONFIG_INVALID: bad.toml: 3 errors',
  });
  expect(contents(directory)).toBe(before);
});

test('diagnostics name files by paths that are valid in the current directory', async () => {
  const directory = directoryWith({
    'deep/mesh.toml': '[vm.a]\nconfig = "x/a.cfg"\n',
    'deep/x/a.cfg': 'name="a"\n',
  });
  const { stdout } = await run(directory, 'check', 'deep/mesh.toml');
  expect(stdout).toBe('deep/x/a.cfg:1:1: the mesh adds the name; remove it');
});

test.each([
  [
    '[vm.a]\nconfig = "a"\n[vm.a]\n',
    /^vifwatch: CONFIG_INVALID: mesh\.toml:3:2: .*\n2: {2}config = "a"\n3: {2}\[vm\.a\]\n *\^/,
  ],
  ['[vm.a]\nserves = []\n', /^vifwatch: CONFIG_INVALID: mesh\.toml:1:1: vm\.a\.config/],
  [
    '[vm.a]\nconfig = "a"\nserves = []\n',
    /^vifwatch: CONFIG_INVALID: mesh\.toml:3:1: unknown key "vm\.a\.serves"/,
  ],
  [
    '[vm.constructor]\nconfig = "a"\n',
    /^vifwatch: CONFIG_INVALID: mesh\.toml:1:1: vm: a VM cannot be named/,
  ],
  [
    '[vm.a]\nconfig = "a"\nip = []\n',
    /^vifwatch: CONFIG_INVALID: mesh\.toml:3:1: vm\.a\.ip: is empty/,
  ],
])('an invalid mesh file is CONFIG_INVALID and writes nothing: %j', async (text, expected) => {
  const directory = directoryWith({ 'mesh.toml': text });
  const { exitCode, stderr } = await run(directory, 'compile', 'mesh.toml', '-o', 'out');
  expect(exitCode).toBe(78);
  expect(stderr).toMatch(expected);
  expect(readdirSync(directory)).toEqual(['mesh.toml']);
});

test('a mesh with only warnings compiles', async () => {
  const names = Array.from({ length: 31 }, (_, at) => `c${at}`);
  const clients = names.map((name) => `[vm.${name}]\nconfig = "a"\nconnect = ["s"]\n`).join('');
  const directory = directoryWith({
    'mesh.toml': `[vm.s]\nconfig = "a"\nserve = ${JSON.stringify(names)}\n${clients}`,
    a: '',
  });
  const { exitCode, stdout, stderr } = await run(directory, 'compile', 'mesh.toml', '-o', 'out');
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '32 VMs, 31 pairs -> out' });
  expect(stderr).toMatch(/^mesh\.toml:3:1: warning: .* xen_gntalloc\.limit=1054 [^\n]*$/);
});

test('a missing mesh and a foreign output directory exit with 78, a wrong command line with 64', async () => {
  const directory = example();
  expect(await run(directory, 'check', 'none.toml')).toMatchObject({
    exitCode: 78,
    stderr: 'vifwatch: CONFIG_INVALID: none.toml: does not exist',
  });
  mkdirSync(join(directory, 'mine/dom0'), { recursive: true });
  const refused = await run(directory, 'compile', 'mesh.toml', '-o', 'mine');
  expect(refused.exitCode).toBe(78);
  expect(refused.stderr).toMatch(
    /CONFIG_INVALID: mine: exists, but "vifwatch mesh compile" did not/,
  );
  expect((await run(directory, 'compile', 'mesh.toml')).exitCode).toBe(64);
});

test.each(['mesh.toml', 'xl/app.cfg', 'policy.d'])(
  'a directory that holds %s is not replaced',
  async (source) => {
    const directory = example();
    await run(directory, 'compile', 'mesh.toml', '-o', 'out');
    mkdirSync(join(directory, 'out', dirname(source)), { recursive: true });
    renameSync(join(directory, source), join(directory, 'out', source));
    // The compile finds its other inputs through links.
    const file = source === 'mesh.toml' ? 'out/mesh.toml' : 'mesh.toml';
    for (const other of ['xl', 'net', 'policy.d']) {
      if (file === 'out/mesh.toml') symlinkSync(`../${other}`, join(directory, 'out', other));
    }
    if (file === 'mesh.toml') symlinkSync(join(directory, 'out', source), join(directory, source));
    const before = contents(directory);
    const refused = await run(directory, 'compile', file, '-o', 'out');
    expect(refused.stderr).toMatch(
      /CONFIG_INVALID: out: compiling would replace \S+, which is in it;/,
    );
    expect(refused.exitCode).toBe(78);
    expect(contents(directory)).toBe(before);
  },
);

test('the output directory / is refused', async () => {
  const refused = await run(example(), 'compile', 'mesh.toml', '-o', '/');
  expect(refused.exitCode).toBe(78);
  expect(refused.stderr).toMatch(/CONFIG_INVALID: \/: exists, but "vifwatch mesh compile" did not/);
});

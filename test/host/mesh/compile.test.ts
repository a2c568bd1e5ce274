/** The compiler's output for a whole mesh, and its readers: the daemon, the agents and dom0. */

import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isProblem } from '../../../src/errors.ts';
import { checkMesh } from '../../../src/host/mesh/check.ts';
import { compileMesh } from '../../../src/host/mesh/compile.ts';
import { readMesh, readScripts } from '../../../src/host/mesh/read-mesh.ts';
import { writeTree } from '../../../src/host/mesh/write-tree.ts';
import { parseLinkParameters } from '../../../src/ipc/config/kernel-command-line.ts';
import { loadPolicy } from '../../../src/ipc/config/load-policy.ts';
import { policyHash } from '../../../src/ipc/policy/policy-hash.ts';
import { loadConfig } from '../../../src/network/config/config.ts';
import { loadPolicies } from '../../../src/network/config/policies.ts';
import { dom0Directory } from '../../../src/package.ts';
import { directoryWith } from '../../support/directory.ts';
import { compiled, exampleDirectory, exampleFile, listing } from './mesh-files.ts';

const goldenFile = join(exampleDirectory, '../example.golden');

const scripts = readdirSync(dom0Directory).map((name) => `dom0/${name}`);

/** Writes the example's output into a directory, and resolves with its path. */
const written = async (): Promise<string> => {
  const directory = directoryWith();
  const { mesh } = checkMesh(await readMesh(exampleFile));
  if (mesh === undefined) throw new Error('the example is wrong');
  await writeTree(join(directory, 'out'), compileMesh(mesh, await readScripts()));
  return join(directory, 'out');
};

test('the example compiles to its golden file', async () => {
  const files = new Map(await compiled(exampleFile));
  for (const script of scripts) files.delete(script);
  expect(listing(files)).toBe(readFileSync(goldenFile, 'utf8'));
});

test("the output has the package's dom0 scripts, with their modes", async () => {
  const out = await written();
  for (const script of scripts) {
    const text = readFileSync(join(out, script), 'utf8');
    expect(text).toBe(readFileSync(join(dom0Directory, '..', script), 'utf8'));
    const mode = text.startsWith('#!') ? 0o755 : 0o644;
    expect([script, statSync(join(out, script)).mode & 0o777]).toEqual([script, mode]);
  }
  for (const name of ['autostart', 'recreate', 'audit']) {
    expect(statSync(join(out, 'dom0', name)).mode & 0o777).toBe(0o755);
  }
  expect(statSync(join(out, 'dom0/mesh')).mode & 0o777).toBe(0o644);
  expect(statSync(join(out, 'vms/net-vm')).mode & 0o777).toBe(0o755);
});

test("net-vm's daemon can load its configuration and its policies", async () => {
  const etc = join(await written(), 'vms/net-vm/etc/vifwatch');
  const { uplinks, gateways, allowed } = await loadConfig(join(etc, 'vifwatch.toml'));
  expect(uplinks).toEqual(['eth0']);
  expect(gateways.map(({ text }) => text)).toEqual(['10.0.5.1', 'fd00:5::1']);
  expect([...allowed].map(([name, prefixes]) => [name, prefixes.map(({ text }) => text)])).toEqual([
    ['mgmt-vm', ['10.0.5.103']],
    ['sa-vm', ['10.0.5.101', 'fd00:5::101']],
    ['workload-vm', ['10.0.5.102', '10.0.7.0/24']],
  ]);
  const { policies } = await loadPolicies(join(etc, 'rules.d'));
  expect([...policies.keys()]).toEqual(['sa-vm', 'workload-vm']);
  expect([...policies.values()].filter(isProblem)).toEqual([]);
});

test("each VM's policy has the hash that its command line and dom0's table name", async () => {
  const out = await written();
  const table = readFileSync(join(out, 'dom0/mesh'), 'utf8');
  const names = readdirSync(join(out, 'vms'));
  expect(names).toEqual(['mgmt-vm', 'net-vm', 'sa-vm', 'vault', 'workload-vm']);
  for (const name of names) {
    const { policy, rules } = await loadPolicy(join(out, 'vms', name, 'etc/vifwatch/policy.d'));
    expect(policy.kind).toBe('rules');
    const hash = policyHash(rules);
    const config = readFileSync(join(out, `dom0/xl/${name}.cfg`), 'utf8');
    expect(config).toMatch(new RegExp(`^extra=".*\\bipc_policy=${hash}"$`, 'm'));
    expect(table).toMatch(new RegExp(`^vm ${name} [0-9]+ ${hash}$`, 'm'));
  }
});

test('the agent of each VM reads its links from its command line', async () => {
  const files = await compiled(exampleFile);
  const linksOf = (name: string) => {
    const config = files.get(`dom0/xl/${name}.cfg`) ?? '';
    const { serve, connect } = parseLinkParameters(/^extra="(.*)"$/m.exec(config)?.[1] ?? '');
    return { serve: serve.names, connect };
  };
  expect(linksOf('net-vm')).toEqual({ serve: ['mgmt-vm', 'workload-vm'], connect: [] });
  expect(linksOf('workload-vm')).toEqual({ serve: [], connect: ['net-vm', 'sa-vm'] });
  expect(linksOf('vault')).toEqual({ serve: [], connect: [] });
});

test("every word of dom0's table needs no quotes in sh", async () => {
  const table = (await compiled(exampleFile)).get('dom0/mesh') ?? '';
  const [header, ...lines] = table.trimEnd().split('\n');
  expect(header).toBe('vifwatch-mesh 1');
  for (const line of lines) expect(line).toMatch(/^[a-z]+( [A-Za-z0-9_./:,*+-]+)+$/);
});

test('the order of tables and names in a mesh does not change the output', async () => {
  const directory = directoryWith();
  cpSync(exampleDirectory, directory, { recursive: true });
  const file = join(directory, 'mesh.toml');
  const [head = '', ...tables] = readFileSync(file, 'utf8').split(/^(?=\[vm\.)/m);
  const turned = tables
    .toReversed()
    .map((table) => table.replace(/\["([\w-]+)", "([\w-]+)"\]/g, '["$2", "$1"]'));
  writeFileSync(file, [head, ...turned].join('\n'));
  expect(listing(await compiled(file))).toBe(listing(await compiled(exampleFile)));
});

test("a mesh without policy and network compiles to dom0's table and xl configurations", async () => {
  const directory = directoryWith({
    'mesh.toml': '[vm.a]\nconfig = "a"\nserve = ["*"]\n[vm.b]\nconfig = "a"\nconnect = ["a"]\n',
    a: '',
  });
  const files = new Map(await compiled(join(directory, 'mesh.toml')));
  for (const script of scripts) files.delete(script);
  expect([...files.keys()]).toEqual(['dom0/mesh', 'dom0/xl/a.cfg', 'dom0/xl/b.cfg']);
  expect(files.get('dom0/mesh')?.split('\n')).toEqual([
    ...['vifwatch-mesh 1', 'vm a 0 -', 'vm b 0 -', 'pair a b'],
    ...['reader a a', 'reader a b', 'reader b a', 'reader b b', 'lister a', ''],
  ]);
  expect(files.get('dom0/xl/a.cfg')).toContain('\nextra="ipc_serve=*"\n');
});

/** This release reads /etc/vifwatch as 0.1 does, and compiles the same files from mesh.toml. */
import assert from 'node:assert/strict';
import { chmodSync, cpSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { agentSocket } from '../../src/ipc/agent/agent-socket.ts';
import { dom0Directory } from '../../src/package.ts';
import { listenEcho, makeVm, peerIs, peersBecome, startHost } from '../ipc/agent/vms.ts';
import { world } from '../network/daemon/flows.ts';
import {
  attachRaw,
  becomesConnected,
  becomesRefused,
  withNetVm,
} from '../network/daemon/net-vm.ts';
import { gateway4, outside4 } from '../rig/host.ts';
import { ownMain } from '../rig/sim/program.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { assertDoesNotReach, assertReaches } from '../scenario/ping.ts';
import { inNetVm } from '../scenario/vms.ts';
import { directoryWith } from '../support/directory.ts';
import { printFigures } from '../support/figures.ts';
import { connect, serve } from './connections.ts';
import { releaseMain } from './release.ts';

const fixture = new URL('0.1/', import.meta.url).pathname;
const etc = join(fixture, 'etc/vifwatch');

let oldMain = '';
beforeAll(async () => {
  oldMain = await releaseMain('0.1.0');
});

/** Runs a command of a release without a rig. */
const run = async (main: string, args: readonly string[], input = '') => {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [main, ...args], {
    reject: false,
    stripFinalNewline: false,
    input,
  });
  return { status: exitCode, stdout, stderr };
};

/** The VMs of `rules.d`. The daemon finds the last VM's policy by its address. */
const vms = [
  { name: 'app-vm', ip: '10.0.5.101 fd00:5::101' },
  { name: 'mgmt-vm', ip: '10.0.5.102 fd00:5::102' },
  { name: 'plain-vm', ip: '10.0.5.103' },
] as const;

/** The chains of their policies in the kernel. A chain's name contains the hash of its rules. */
const policyChains = async (host: SimHost): Promise<readonly string[]> => {
  const table = await inNetVm(host, ['nft', '-s', 'list', 'table', 'inet', 'vifwatch']);
  return (
    table.match(/^\tchain (?:out|in)-(?:app-vm|mgmt-vm|10\.0\.5\.103)-.*?^\t}/gms) ?? []
  ).sort();
};

const assertServed = async (host: SimHost): Promise<void> => {
  const { status, stdout } = await host.inNetVm(['vifwatch', 'status', '--json']);
  assert.equal(status, 0, stdout);
  // A rule of app-vm allows the ping; its profile alone would not.
  await assertReaches({ host, from: { name: 'app-vm' } }, outside4);
  await assertReaches({ host, from: { name: 'plain-vm' } }, outside4);
  await assertReaches({ host, from: { name: 'mgmt-vm' } }, gateway4, '10.0.5.101');
  await assertDoesNotReach({ host, from: { name: 'plain-vm' } }, '10.0.5.101');
  await (await connect(host, world, '192.0.2.2', 8080)).use();
};

test('this release makes the same rules as 0.1 from every key of vifwatch.toml and rules.d', async () => {
  await withNetVm(
    async (host) => {
      cpSync(join(etc, 'rules.d'), host.daemon.policies, { recursive: true });
      await host.daemon.start(oldMain);
      const domids: number[] = [];
      for (const { name, ip } of vms) {
        const domid = await host.create({ name });
        domids.push(domid);
        await attachRaw(host, domid, { ip });
        await becomesConnected(host, domid);
      }
      const [first = 0] = domids;
      await serve(host, namespaceOf(first), 80);
      await assertServed(host);
      const before = await policyChains(host);
      assert.equal(before.length, 2 * vms.length);

      // After a SIGTERM, the daemon would wait for the missing name server.
      await host.signalDaemon('SIGKILL');
      await host.startDaemon();
      await assertServed(host);
      assert.deepEqual(await policyChains(host), before);
      const { stdout } = await host.inNetVm(['vifwatch', 'check']);
      assert.match(stdout, /^ok +config: .*eth0.*10\.0\.5\.1 fd00:5::1/m);
      assert.match(stdout, /^ok +policies: .*: 10\.0\.5\.103 app-vm mgmt-vm off-vm/m);
      printFigures({ policies: 4, rules: before.join('\n').split('\n').length });

      // This shows that the daemon reports a bad policy.
      writeFileSync(`${host.daemon.policies}/app-vm.toml`, 'unknown = true\n');
      await becomesRefused(host, first, 'POLICY_INVALID');
      assert.notDeepEqual(await policyChains(host), before);
    },
    { daemon: false, config: readFileSync(join(etc, 'vifwatch.toml'), 'utf8') },
  );
});

/** Requests with every service, argument and caller of policy.d, and with others. */
const requests = (): string => {
  const policy = readdirSync(join(etc, 'policy.d'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'utf8'));
  const words = new Set(policy.flatMap((text) => text.match(/^[\w.-]+(?=\s)/gm) ?? []));
  const sources = ['workload-vm', 'mgmt-vm', 'Web-2_x', 'web', 'net-vm', 'dom0', 'sa-vm'];
  return [...words, 'net.Reload', 'other']
    .flatMap((service) => sources.map((source) => ({ service, source })))
    .flatMap((request) =>
      ['', 'key1', 'x+y-._Z', 'text'].map((argument) => ({ ...request, argument })),
    )
    .flatMap((request) => [false, true].map((relayed) => ({ ...request, relayed })))
    .map((request) => `${JSON.stringify(request)}\n`)
    .join('');
};

test('this release reaches the same verdicts as 0.1 with policy.d, in every VM', async () => {
  const directory = join(etc, 'policy.d');
  const checked = await run(ownMain, ['policy', 'check', directory]);
  expect(checked).toMatchObject({ status: 0, stderr: '' });
  expect(checked.stdout).toContain('7 files, 31 rules: 0 errors');

  const verdicts = new Set<string>();
  const input = requests();
  for (const self of ['sa-vm', 'other-vm', 'web']) {
    const args = ['policy', 'eval', '--dir', directory, '--self', self];
    const [before, after] = await Promise.all([
      run(oldMain, args, input),
      run(ownMain, args, input),
    ]);
    expect(after).toEqual(before);
    expect(after.status).toBe(0);
    for (const line of after.stdout.trim().split('\n')) verdicts.add(line);
  }
  const decided = [...verdicts].map((line) => JSON.parse(line));
  expect(decided.filter(({ action }) => action === 'allow').length).toBeGreaterThan(5);
  expect(decided.filter(({ action }) => action === 'deny').length).toBeGreaterThan(5);
  printFigures({ requests: input.split('\n').length - 1, verdicts: verdicts.size });
});

test('an agent obeys the agent.toml, policy.d and services.d of 0.1', async () => {
  const host = await startHost();
  const sign = '#!/bin/sh\necho "$1 as $(id -un) for $QREXEC_REMOTE_DOMAIN"\nexit 3\n';
  const server = await makeVm(host, 'sa-vm', { services: { sign } });
  for (const part of ['agent.toml', 'policy.d', 'services.d'])
    cpSync(join(etc, part), join(server.etc, part), { recursive: true });
  const client = await makeVm(host, 'workload-vm', { connect: ['sa-vm'] });
  // The service that runs as the user "nobody" needs this right.
  chmodSync(host.sim.directory, 0o755);
  await Promise.all([server.start(), client.start()]);
  await listenEcho(server);
  await peerIs(client, 'sa-vm', 'up');
  await peersBecome(server, 'it lists all of agent.toml', ({ peers, relay }) => {
    const names = peers.map(({ name, role }) => `${name} ${role}`).sort();
    return `${names} ${relay}` === 'mgmt-vm server,net-vm client,workload-vm server mgmt-vm';
  });
  const { gid, mode } = statSync(agentSocket(server.runtime));
  expect([gid, mode & 0o070]).toEqual([1, 0o060]); // the group "daemon"

  const key1 = await client.vifwatch(['call', 'sa-vm', 'sign+key1']);
  expect(key1.stdout.toString()).toBe('key1 as root for workload-vm\n');
  expect(key1.status).toBe(3);
  const echo = await client.vifwatch(['call', 'sa-vm', 'echo'], 'there and back');
  expect(echo.stdout.toString()).toBe('there and back');
  expect((await client.vifwatch(['call', 'sa-vm', 'sign+key2'])).status).toBe(126);
  const unprivileged = await client.vifwatch(['call', 'sa-vm', 'sign']);
  expect(unprivileged).toMatchObject({ status: 3, stderr: '' });
  expect(unprivileged.stdout.toString()).toBe(' as nobody for workload-vm\n');
});

/**
 * Mode and bytes of every file of a compiled mesh, by path. It omits comments, because texts may change, and
 * dom0's scripts, because each release copies its own.
 */
const treeOf = (directory: string): ReadonlyMap<string, string> => {
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  const scripts = new Set(readdirSync(dom0Directory).map((name) => `dom0/${name}`));
  return new Map(
    entries
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }): [string, string] => {
        const file = join(parentPath, name);
        const mode = (statSync(file).mode & 0o777).toString(8);
        const text = readFileSync(file, 'latin1').replaceAll(/^#.*\n/gm, '');
        return [file.slice(directory.length + 1), `${mode}\n${text}`];
      })
      .filter(([path]) => !scripts.has(path))
      .sort(),
  );
};

/** The files of a compiled mesh that differ from those of 0.1, with the line of CHANGELOG.md that says so. */
const changed: Readonly<Record<string, string>> = {};

test('this release compiles mesh.toml to the files of 0.1, apart from comments and the changes in the changelog', async () => {
  const file = join(fixture, 'mesh/mesh.toml');
  const out = directoryWith();
  const checked = await run(ownMain, ['mesh', 'check', file]);
  expect(checked.status).toBe(0);
  for (const [name, main] of [
    ['before', oldMain],
    ['after', ownMain],
  ] as const) {
    const { status, stderr } = await run(main, ['mesh', 'compile', file, '-o', join(out, name)]);
    expect(status, stderr).toBe(0);
  }
  const [before, after] = [treeOf(join(out, 'before')), treeOf(join(out, 'after'))];
  const paths = [...new Set([...before.keys(), ...after.keys()])];
  const differing = paths.filter((path) => before.get(path) !== after.get(path));
  expect(differing.sort()).toEqual(Object.keys(changed).sort());
  const changelog = readFileSync(new URL('../../CHANGELOG.md', import.meta.url), 'utf8');
  for (const line of Object.values(changed)) expect(changelog).toContain(line);
  expect(after.has('vms/net-vm/etc/vifwatch/rules.d/workload-vm.toml')).toBe(true);
  printFigures({ files: after.size, differing: differing.length });
});

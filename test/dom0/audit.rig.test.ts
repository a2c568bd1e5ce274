/** dom0/audit reports nothing on a correct host, and reports each sabotage with its code. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { type Dom0, type Shell, shells, withDom0 } from './dom0.ts';
import { assertFound, commit, domidsOf, type Finding, type InNetwork, undo } from './sabotage.ts';
import { sabotagesOfHost } from './sabotages-host.ts';
import { sabotagesOfMesh } from './sabotages-mesh.ts';

const network = 'dom0';

/** Runs the audit in namespaces that hide the rest of the machine; `inside` runs there first. */
const runAudit = ({ sim, shell, directory }: Dom0, args: readonly string[], inside = ':') => {
  const path = 'PATH=/usr/sbin:/usr/bin:/sbin:/bin';
  const line = `(${path}\n${inside})\nexec sh ${directory}/audit "$@"`;
  const alone = ['unshare', '--pid', '--fork', '--mount-proc', ...shell(line, args)];
  return sim.run(sim.inNamespace(network, alone), { domid: 0 });
};

const findings = async (dom0: Dom0, inside?: string): Promise<readonly Finding[]> => {
  const { status, stdout, stderr } = await runAudit(dom0, ['--json'], inside);
  assert.equal(stderr, '');
  const found: readonly Finding[] = JSON.parse(stdout).findings;
  assert.equal(status, found.length > 0 ? 1 : 0);
  for (const finding of found) assert.notEqual(finding.do, '');
  return found;
};

type Body = (dom0: Dom0, inNetwork: InNetwork) => Promise<void>;
type Options = Parameters<typeof withDom0>[2];

/** Runs the body with a network namespace for dom0. */
const withNetwork = (shell: Shell, body: Body, options?: Options): Promise<void> =>
  withDom0(
    shell,
    async (dom0) => {
      const { sim } = dom0;
      const run = async (argv: readonly string[]): Promise<void> => {
        const { status, stderr } = await sim.run(argv, { domid: 0 });
        assert.equal(status, 0, stderr);
      };
      const inNetwork: InNetwork = (line) => run(sim.inNamespace(network, ['sh', '-ec', line]));
      await run(sim.inRig(['ip', 'netns', 'add', network]));
      await inNetwork('busybox sysctl -qw net.ipv4.ip_forward=0; ip link set lo up');
      await body(dom0, inNetwork);
    },
    options,
  );

/** Like `withNetwork`, with all VMs running and linked. */
const withMesh = (shell: Shell, body: Body, options?: Options): Promise<void> =>
  withNetwork(
    shell,
    async (dom0, inNetwork) => {
      assert.equal((await dom0.run('autostart', ['--parallel'])).status, 0);
      await link(dom0);
      await body(dom0, inNetwork);
    },
    options,
  );

/** Writes the nodes of two linked agents, with values that look like other nodes' text. */
const link = async (dom0: Dom0): Promise<void> => {
  const [, sa, , workload] = domidsOf(dom0);
  const hostile = `'"   (n0,b1)'`;
  await dom0.sh(
    `for place in ipc/direct/${workload} data/vifwatch/direct/${workload}; do
      for node in ring-ref event-channel session; do
        xenstore-write /local/domain/${sa}/$place/$node ${hostile}
        xenstore-chmod /local/domain/${sa}/$place/$node n${sa} r${workload}
      done
    done
    xenstore-write data/line "$(printf 'a"\\n/ipc/domain-map/evil = "0"   (b0)')" data/list '$(reboot) %s%n \\'`,
    sa,
  );
  await dom0.sh(
    `xenstore-write data/vifwatch/knock/${sa} ${hostile}
    xenstore-chmod data/vifwatch/knock/${sa} n${workload} r${sa}`,
    workload,
  );
};

describe.concurrent.each(shells)('%s', (shell) => {
  test('each sabotage has its code, and the audit finds nothing after the undoing', () =>
    withMesh(shell, async (dom0, inNetwork) => {
      assert.deepEqual(await runAudit(dom0, []), {
        status: 0,
        stdout: 'nothing found\n',
        stderr: '',
      });
      const sabotages = [...sabotagesOfHost(dom0), ...sabotagesOfMesh(dom0)];
      const inside = await commit(dom0, inNetwork, sabotages);
      assertFound(sabotages, await findings(dom0, inside));
      await undo(dom0, inNetwork, sabotages);
      assert.deepEqual(await findings(dom0), []);
    }));

  test('a VM that has gone is reported for every trace it left, and autostart repairs them all', () =>
    withMesh(shell, async (dom0) => {
      await dom0.sh(`${dom0.tools}/xl destroy mgmt-vm`);
      const { status, stdout } = await runAudit(dom0, []);
      assert.equal(status, 1);
      const rows = stdout
        .trim()
        .split('\n')
        .map((line) => line.split(/ {2,}/));
      const heads = ['VM_MISSING', 'MAP_PERMISSIONS', 'MAP_STALE', 'RENDEZVOUS_STALE'];
      assert.deepEqual([...new Set(rows.map(([code]) => code))].sort(), [...heads].sort());
      for (const row of rows) assert.equal(row.length, 3, stdout);
      // While the VM cannot start, the audit reports only that it is missing.
      dom0.on('create', 'mgmt-vm', 'exit 1');
      assert.equal((await dom0.run('autostart')).status, 1);
      assert.deepEqual(await findings(dom0), [
        { code: 'VM_MISSING', what: 'mgmt-vm does not run', do: './autostart' },
      ]);
      dom0.on('create', 'mgmt-vm', '');
      assert.equal((await dom0.run('autostart')).status, 0);
      assert.deepEqual(await findings(dom0), []);
    }));

  test('a listing of xenstore that never ends is cut off after some seconds, and the exit status is 69', () =>
    withNetwork(shell, async (dom0) => {
      dom0.before('xenstore-ls', 'exec /usr/bin/sleep infinity');
      const file = `${dom0.directory}/audit`;
      const text = readFileSync(file, 'utf8');
      assert.match(text, /list_store 60/);
      writeFileSync(file, text.replace('list_store 60', 'list_store 1'));
      const { status, stderr } = await runAudit(dom0, ['--json']);
      assert.equal(stderr, 'audit: these sources could not be read: xenstore\n');
      assert.equal(status, 69);
    }));

  test('the audit exits with 69 for everything that it cannot look at', () =>
    withMesh(shell, async (dom0) => {
      dom0.before('xl', '[ "$2" != -l ] || exit 1');
      dom0.before('xenstore-ls', 'exit 1');
      const blind = await runAudit(dom0, ['--json']);
      assert.equal(blind.stderr, 'audit: these sources could not be read: policies xenstore\n');
      assert.equal(blind.status, 69);
      await dom0.sim.xenstored.kill();
      const dead = await runAudit(dom0, []);
      assert.match(dead.stderr, /^audit: xenstore does not answer/);
      assert.equal(dead.status, 69);
      for (const tool of ['xl', 'xenstore-ls']) rmSync(`${dom0.tools}/${tool}`);
      const without = await runAudit(dom0, []);
      assert.match(
        without.stderr,
        /^audit: xl is missing: .*\naudit: xenstore-ls is missing: .*\n$/,
      );
      assert.equal(without.status, 69);
      assert.equal((await runAudit(dom0, ['--yaml'])).status, 64);
    }));

  test('a guest that makes xenstore unreadable stops the audit with exit status 69, but not autostart', () =>
    withMesh(
      shell,
      async (dom0) => {
        // oxenstored refuses directory listings above 4 KiB.
        const sa = dom0.domidOf('sa-vm');
        const place = `/local/domain/${sa}/ipc/direct/${dom0.domidOf('workload-vm')}`;
        const long = 'x'.repeat(200);
        const words = Array.from({ length: 30 }, (_, k) => `${place}/${long}${k} 1`);
        await dom0.sh(`xenstore-write ${words.join(' ')}`, sa);
        const { status, stderr } = await runAudit(dom0, []);
        assert.match(stderr, new RegExp(`xs_directory \\(${place}\\)`));
        assert.match(stderr, /audit: these sources could not be read: xenstore\n$/);
        assert.equal(status, 69);
        await dom0.sh(`${dom0.tools}/xl destroy mgmt-vm`);
        assert.equal((await dom0.run('autostart')).status, 0);
      },
      { store: 'oxenstored' },
    ));
});

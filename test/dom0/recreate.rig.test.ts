/** dom0/recreate gives a VM a new domid and updates all xenstore nodes that name the old one. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { type Dom0, provisions, shells, wantedProvisions, withDom0 } from './dom0.ts';

/** Runs the body with all VMs running. */
const withMesh = (shell: (typeof shells)[number], body: (dom0: Dom0) => Promise<void>) =>
  withDom0(shell, async (dom0) => {
    assert.equal((await dom0.run('autostart', ['--parallel'])).status, 0);
    await body(dom0);
  });

/** Recreates a VM; resolves with "asked\n" if it was asked to shut down, else with "". */
const recreated = async (dom0: Dom0, ...args: readonly string[]): Promise<string> => {
  const name = args.at(-1) ?? '';
  const before = dom0.domidOf(name);
  const stops = `${dom0.sim.directory}/${name}-stops`;
  writeFileSync(stops, '');
  dom0.on('shutdown', name, `echo asked >${stops}`);
  const { status, stdout, stderr } = await dom0.run('recreate', args);
  assert.equal(status, 0, stderr);
  const after = dom0.domidOf(name);
  assert.ok(after > before);
  assert.equal(stdout, `${name}: domain ${after}\n`);
  assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
  const old = new RegExp(`[nrwb]${before}[,)]|/${before} |"${before}"`);
  assert.deepEqual(
    (await dom0.store()).filter((line) => old.test(line)),
    [],
  );
  return readFileSync(stops, 'utf8');
};

describe.concurrent.each(shells)('%s', (shell) => {
  test('domain-map entries, permissions and directories follow the VM, and only -f skips the shutdown request', () =>
    withMesh(shell, async (dom0) => {
      assert.equal(await recreated(dom0, 'workload-vm'), 'asked\n');
      assert.equal(await recreated(dom0, '-f', 'sa-vm'), '');
    }));

  test('a VM that does not shut down is destroyed, and a VM that does not run is started', () =>
    withMesh(shell, async (dom0) => {
      dom0.on('shutdown', 'mgmt-vm', 'exit 1');
      assert.equal((await dom0.run('recreate', ['mgmt-vm'])).stdout, 'mgmt-vm: domain 5\n');
      await dom0.sh(`${dom0.tools}/xl destroy mgmt-vm`);
      assert.equal((await dom0.run('recreate', ['mgmt-vm'])).stdout, 'mgmt-vm: domain 6\n');
      assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
    }));

  test('a VM without PV control gets a press of its power button, and time to end', () =>
    withMesh(shell, async (dom0) => {
      const { tools } = dom0;
      const before = dom0.domidOf('mgmt-vm');
      dom0.on('shutdown', 'mgmt-vm', 'exit 1');
      // The guest ends after xl has returned.
      dom0.on('trigger', 'mgmt-vm', `(sleep 1; ${tools}/xl destroy mgmt-vm) >/dev/null 2>&1 &`);
      dom0.before('xl', '[ "$1" != destroy ] || [ "$2" = mgmt-vm ] || exit 9');
      const { stdout, stderr } = await dom0.run('recreate', ['mgmt-vm']);
      assert.equal(
        stdout,
        `mgmt-vm: domain ${before} did not shut down: its power button was pressed\nmgmt-vm: domain 5\n`,
        stderr,
      );
      assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
    }));

  test('a VM that ignores its power button is destroyed', () =>
    withMesh(shell, async (dom0) => {
      await dom0.sh(`sed -i s/^shutdown_timeout=30/shutdown_timeout=2/ ${dom0.directory}/recreate`);
      dom0.on('shutdown', 'mgmt-vm', 'exit 1');
      dom0.on('trigger', 'mgmt-vm', ':');
      const { stdout } = await dom0.run('recreate', ['mgmt-vm']);
      assert.match(stdout, /its power button was pressed\nmgmt-vm: domain 5\n$/);
    }));

  test('a VM that reboots instead of shutting down is recreated', () =>
    withMesh(shell, async (dom0) => {
      const { tools, directory } = dom0;
      // On a reboot, the VM's xl daemon destroys the domain and creates a new one.
      dom0.on(
        'shutdown',
        'mgmt-vm',
        `${tools}/xl destroy mgmt-vm; ${tools}/xl create -p -q ${directory}/xl/mgmt-vm.cfg; exit 1`,
      );
      const { stdout, stderr } = await dom0.run('recreate', ['mgmt-vm']);
      assert.equal(stdout, 'mgmt-vm: domain 6\n', stderr);
      assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
    }));

  test('a VM that cannot be created again loses its nodes, and a VM that needs it is not recreated', () =>
    withMesh(shell, async (dom0) => {
      const sa = dom0.domidOf('sa-vm');
      dom0.on('create', 'sa-vm', 'echo no memory >&2; exit 1');
      const { status, stderr } = await dom0.run('recreate', ['sa-vm']);
      assert.equal(status, 1);
      assert.match(stderr, /^sa-vm: "xl create \S+" failed: no memory\n$/);
      const old = new RegExp(`sa-vm|domain/${sa}/|r${sa}[,)]`);
      const left = (await provisions(dom0)).filter((line) => old.test(line));
      assert.deepEqual(left, []);
      const needy = await dom0.run('recreate', ['workload-vm']);
      assert.equal(
        needy.stderr,
        'recreate: workload-vm needs sa-vm, which does not run: run ./autostart\n',
      );
      assert.equal(needy.status, 1);
      assert.equal(dom0.domidOf('workload-vm'), 4);
    }));

  test('wrong names and options are refused, and nothing changes', () =>
    withMesh(shell, async (dom0) => {
      const before = await dom0.store();
      const cases: readonly [readonly string[], number, RegExp][] = [
        [['net-vm'], 1, /^recreate: without net-vm, all other VMs lose their vifs: shut/],
        [['vm'], 1, /^recreate: "vm" is not a VM of \S+\/mesh\n$/],
        [['.*'], 1, /^recreate: "\.\*" is not a VM of/],
        [[''], 1, /^recreate: "" is not a VM of/],
        [[], 64, /^usage: recreate \[-f\] NAME/],
        [['-x', 'sa-vm'], 64, /^usage: /],
        [['sa-vm', 'mgmt-vm'], 64, /^usage: /],
      ];
      for (const [args, expected, complaint] of cases) {
        const { status, stderr } = await dom0.run('recreate', args);
        assert.match(stderr, complaint);
        assert.equal(status, expected);
      }
      assert.deepEqual(await dom0.store(), before);
    }));
});

/** dom0/autostart starts and provisions all VMs, or names the VMs that it could not start. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { hangMs } from '../support/until.ts';
import { provisions, shells, vms, wantedProvisions, withDom0 } from './dom0.ts';

/** One line for each VM, in the order of the table. */
const lines = (dom0: { domidOf(vm: string): number }, as = ''): string =>
  vms.map((vm) => `${vm}: domain ${dom0.domidOf(vm)}${as}\n`).join('');

/** The exit status that the rig gives to a program that a signal has ended. */
const killed = 127;

const unchanged = 'all VMs run; nothing was changed\n';

describe.concurrent.each(shells)('%s', (shell) => {
  test.each(['xenstored', 'oxenstored'] as const)(
    'all VMs run, and each has its domain-map entry and directories before its first instruction (%s)',
    (store) =>
      withDom0(
        shell,
        async (dom0) => {
          const seen = `${dom0.sim.directory}/seen`;
          dom0.on('boot', 'workload-vm', `xenstore-ls -fp / >${seen}\n`);
          assert.deepEqual(await dom0.run('autostart'), {
            status: 0,
            stdout: lines(dom0),
            stderr: '',
          });
          assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
          const atBoot = readFileSync(seen, 'utf8').replaceAll(/ +\(/g, ' (').split('\n');
          for (const line of wantedProvisions(dom0)) assert.ok(atBoot.includes(line), line);
        },
        { store },
      ),
  );

  test('a second run changes nothing and says so', () =>
    withDom0(shell, async (dom0) => {
      await dom0.run('autostart');
      const before = await dom0.store();
      const calls = `${dom0.sim.directory}/calls`;
      for (const tool of ['write', 'chmod', 'rm'])
        dom0.before(`xenstore-${tool}`, `echo ${tool} "$@" >>${calls}`);
      const { status, stdout } = await dom0.run('autostart');
      assert.equal(stdout, lines(dom0, ', already running') + unchanged);
      assert.equal(status, 0);
      assert.deepEqual(await dom0.store(), before);
      // autostart cannot read these permissions, so it always sets them.
      assert.equal(readFileSync(calls, 'utf8'), 'chmod /ipc n0\n');
    }));

  test('changes by other programs to domain-map entries and directories are reverted', () =>
    withDom0(shell, async (dom0) => {
      await dom0.run('autostart');
      const [net, sa, mgmt, workload] = vms.map(dom0.domidOf);
      await dom0.sh(`
        xenstore-chmod /ipc r0
        xenstore-chmod /ipc/domain-map b0
        xenstore-chmod /ipc/domain-map/sa-vm n0 r${net} r${workload} r${mgmt}
        xenstore-write /ipc/domain-map/mgmt-vm 77
        xenstore-rm /ipc/domain-map/net-vm
        xenstore-chmod /local/domain/${sa}/ipc/direct/${workload} b${sa} r${workload}
        xenstore-rm /local/domain/${net}/ipc/direct/${mgmt}
        xenstore-write /local/domain/${net}/ipc/direct/77 '' /local/domain/${net}/ipc/direct/${sa} ''
        xenstore-write /ipc/domain-map/stranger 5`);
      const { status, stdout } = await dom0.run('autostart');
      assert.equal(status, 0);
      assert.equal(stdout, lines(dom0, ', already running'));
      // autostart leaves names alone that are not in the table.
      await dom0.sh('xenstore-rm /ipc/domain-map/stranger');
      assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
    }));

  test('a domain-map entry is never readable for other VMs, not even between two steps', () =>
    withDom0(shell, async (dom0) => {
      await dom0.run('autostart');
      const entry = '/ipc/domain-map/net-vm';
      await dom0.sh(`xenstore-write ${entry} 77; xenstore-chmod ${entry} r0`);
      const states = `${dom0.sim.directory}/states`;
      for (const tool of ['write', 'chmod', 'rm', 'read'])
        dom0.before(`xenstore-${tool}`, `xenstore-ls -fp /ipc | grep ${entry} >>${states}`);
      assert.equal((await dom0.run('autostart')).status, 0);
      const net = dom0.domidOf('net-vm');
      const seen = readFileSync(states, 'utf8').replaceAll(/ +\(/g, ' (').split('\n');
      const named = new Set(seen.filter((line) => line.includes(`"${net}"`)));
      const wanted = wantedProvisions(dom0).filter((line) => line.startsWith(entry));
      assert.deepEqual([...named], wanted);
    }));

  test('autostart that is killed at any step completes its work in the next run', () =>
    withDom0(shell, async (dom0) => {
      const file = (name: string): string => `${dom0.sim.directory}/${name}`;
      // Every second kill happens before the tool runs.
      const script = `
        read -r count <${file('count')}
        count=$((count + 1))
        echo $count >${file('count')}
        read -r last <${file('last')}
        if [ $count = $last ]; then
          read -r pid <${file('pid')}
          kill -9 $pid
          [ $((count % 2)) = 0 ] || exit 1
        fi`;
      for (const tool of ['xl', 'xenstore-write', 'xenstore-chmod', 'xenstore-rm'])
        dom0.before(tool, script);
      const run = dom0.shell(`echo $$ >${file('pid')}; exec sh ${dom0.directory}/autostart`);
      const runUntil = (last: number) => {
        writeFileSync(file('count'), '0\n');
        writeFileSync(file('last'), `${last}\n`);
        return dom0.sim.run(dom0.sim.inRig(run), { domid: 0 });
      };
      let kills = 0;
      for (let last = 3; ; last += 5, kills += 1) {
        const { status, stderr } = await runUntil(last);
        if (status === 0) break;
        assert.equal(status, killed, stderr);
      }
      assert.ok(kills > 3, `killed only ${kills} times`);
      assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
      assert.doesNotMatch(await dom0.sh(`${dom0.tools}/xl list`), /--p---/);
    }));

  test('of two simultaneous runs, the second waits and finds nothing to do', () =>
    withDom0(shell, async (dom0) => {
      const outputs = await Promise.all([
        dom0.run('autostart'),
        dom0.run('autostart', ['--parallel']),
      ]);
      assert.deepEqual(
        outputs.map(({ status }) => status),
        [0, 0],
      );
      const [first, second, ...others] = outputs
        .map(({ stdout }) => stdout)
        .sort((a, b) => Number(a.endsWith(unchanged)) - Number(b.endsWith(unchanged)));
      const waits = 'waiting for another run to end\n';
      assert.deepEqual(
        [first, second, others],
        [lines(dom0), `${waits}${lines(dom0, ', already running')}${unchanged}`, []],
      );
      assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
    }));

  test('--parallel creates the VMs of a level simultaneously', () =>
    withDom0(shell, async (dom0) => {
      // Each creation waits for the other one; one alone times out.
      const mark = (vm: string): string => `${dom0.sim.directory}/${vm}`;
      const pairs = [
        ['sa-vm', 'mgmt-vm'],
        ['mgmt-vm', 'sa-vm'],
      ] as const;
      for (const [vm, other] of pairs)
        dom0.on(
          'create',
          vm,
          `touch ${mark(vm)}
          timeout ${hangMs / 1000} sh -c 'until [ -e ${mark(other)} ]; do sleep 0.01; done'`,
        );
      const { status, stdout, stderr } = await dom0.run('autostart', ['--parallel']);
      assert.equal(status, 0, stderr);
      assert.equal(stdout, lines(dom0));
      assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
    }));

  test.each([[], ['--parallel']])(
    'a VM that fails to start stops only the VMs that need it (%s)',
    (...args) =>
      withDom0(shell, async (dom0) => {
        dom0.on('create', 'sa-vm', 'echo no memory >&2; exit 3');
        const { status, stdout, stderr } = await dom0.run('autostart', args);
        assert.equal(status, 1);
        assert.equal(stdout, 'net-vm: domain 1\nmgmt-vm: domain 2\n');
        const [failed, refused, summary] = stderr.trim().split('\n');
        assert.match(failed ?? '', /^sa-vm: "xl create .*\/sa-vm\.cfg" failed: no memory$/);
        assert.equal(refused, 'workload-vm: not started: it needs sa-vm, which does not run');
        assert.equal(
          summary,
          'autostart: these VMs were not started or need a repair: sa-vm workload-vm',
        );
        dom0.on('create', 'sa-vm', '');
        assert.equal((await dom0.run('autostart', args)).status, 0);
        assert.deepEqual(await provisions(dom0), wantedProvisions(dom0));
      }),
  );

  test('a VM with any vif on a driver domain that was created again counts as served', () =>
    withDom0(shell, async (dom0) => {
      assert.equal((await dom0.run('autostart', ['--parallel'])).status, 0);
      await dom0.sh(`${dom0.tools}/xl destroy net-vm`);
      await dom0.run('autostart');
      const net = dom0.domidOf('net-vm');
      for (const vm of ['sa-vm', 'mgmt-vm']) {
        const domid = dom0.domidOf(vm);
        const place = `/local/domain/${net}/backend/vif/${domid}/1`;
        const vifs = `/libxl/${domid}/device/vif`;
        await dom0.sh(`xenstore-write ${vifs}/1/backend ${place} ${place}/state 4`);
        await dom0.sh(`xenstore-rm ${vifs}/0`);
      }
      const { status, stderr } = await dom0.run('autostart');
      assert.equal(status, 0, stderr);
    }));

  test('a paused VM and a VM without a working vif are reported and not changed', () =>
    withDom0(shell, async (dom0) => {
      await dom0.run('autostart');
      const states = `${dom0.sim.directory}/xl/domains`;
      writeFileSync(`${states}/${dom0.domidOf('mgmt-vm')}/state`, '--p---\n');
      await dom0.sh(`${dom0.tools}/xl destroy net-vm`);
      const { status, stderr } = await dom0.run('autostart');
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^sa-vm: domain 2 has no vif on the running net-vm: \.\/recreate sa-vm$/m,
      );
      assert.match(stderr, /^mgmt-vm: domain 3 was paused by somebody else: xl unpause 3$/m);
    }));
});

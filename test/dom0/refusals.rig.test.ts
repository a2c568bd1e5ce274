/** dom0/autostart refuses to begin without its tools, a valid table, dom0 or xenstore. */
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { provisions, shells, withDom0 } from './dom0.ts';

describe.concurrent.each(shells)('%s', (shell) => {
  test('autostart names all missing tools and starts nothing', () =>
    withDom0(shell, async (dom0) => {
      for (const tool of ['xl', 'xenstore-watch', 'flock']) rmSync(`${dom0.tools}/${tool}`);
      const { status, stdout, stderr } = await dom0.run('autostart');
      assert.equal(status, 69);
      assert.equal(stdout, '');
      const [flock, xl, watch, ...more] = stderr.trim().split('\n');
      assert.match(flock ?? '', /^autostart: flock is missing: apk add /);
      assert.match(xl ?? '', /^autostart: xl is missing: apk add xen/);
      assert.match(watch ?? '', /^autostart: xenstore-watch is missing: apk add xen/);
      assert.deepEqual(more, []);
      assert.deepEqual(await provisions(dom0), []);
    }));

  test('autostart names file and line of an error in the table and starts nothing', () =>
    withDom0(shell, async (dom0) => {
      const file = `${dom0.directory}/mesh`;
      const table = readFileSync(file, 'utf8');
      const cases: readonly [RegExp, string][] = [
        [/mesh:1: not a table of this version/, table.replace('mesh 1', 'mesh 2')],
        [/mesh:1: not a table of this version/, '<!DOCTYPE html>\n'],
        [/mesh:1: no VMs/, ''],
        [/mesh:1: no VMs/, 'vifwatch-mesh 1\n'],
        [/mesh:26: unknown record "disk"/, `${table}disk sa-vm\n`],
        [/mesh:26: unknown VM "ghost"/, `${table}need sa-vm ghost\n`],
        [/mesh:26: a line must be words/, `${table}need sa-vm $(reboot)\n`],
        [/mesh:26: "FD00::1\/128" is not an address/, `${table}address sa-vm FD00::1/128\n`],
        [/mesh:26: xl takes "7" for a domid/, `${table}vm 7 3 -\n`],
        [/mesh:26: a level must be a number/, `${table}vm late-vm 0 -\n`],
        [/mesh:26: sa-vm is defined twice/, `${table}vm sa-vm 3 -\n`],
        [/xl\/late-vm\.cfg is missing/, `${table}vm late-vm 3 -\n`],
      ];
      for (const [complaint, text] of cases) {
        writeFileSync(file, text);
        const { status, stderr } = await dom0.run('autostart');
        assert.match(stderr, complaint);
        assert.equal(stderr.trim().split('\n').length, 1, stderr);
        assert.equal(status, 78);
      }
      assert.deepEqual(await provisions(dom0), []);
    }));

  test('autostart reports a missing table, a domain that is not dom0, and a missing xenstore', () =>
    withDom0(shell, async (dom0) => {
      await dom0.run('autostart');
      const inNetVm = await dom0.run('autostart', [], 1);
      assert.equal(inNetVm.stderr, 'autostart: this is domain 1: run this in dom0\n');
      assert.equal(inNetVm.status, 69);
      rmSync(`${dom0.directory}/mesh`);
      const untold = await dom0.run('autostart');
      assert.match(untold.stderr, /^autostart: \S+\/mesh is missing: run this in the output/);
      assert.equal(untold.status, 78);
      await dom0.sim.xenstored.kill();
      const dead = await dom0.run('autostart');
      assert.match(dead.stderr, /^autostart: xenstore does not answer/);
      assert.equal(dead.status, 69);
    }));

  test('a wrong command line exits with 64 and starts nothing', () =>
    withDom0(shell, async (dom0) => {
      for (const args of [['--timeout'], ['--timeout', '1x'], ['--timeout', '0'], ['net-vm']]) {
        const { status, stderr } = await dom0.run('autostart', args);
        assert.equal(status, 64);
        assert.notEqual(stderr, '');
      }
      assert.deepEqual(await provisions(dom0), []);
    }));
});

/**
 * VM names that look like numbers, like parts of other names or like the scripts' own files; no driver
 * domain.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { type Dom0, type Shell, shells, withDom0 } from './dom0.ts';

const names = ['plan', 'trouble', '1e3', '1e03', 'nan', 'nan-1'];

const table = [
  'vifwatch-mesh 1',
  ...names.map((name) => `vm ${name} ${['plan', 'trouble'].includes(name) ? 0 : 1} -`),
  'need 1e3 plan',
  'need nan plan',
  'pair nan nan-1',
  'pair 1e03 1e3',
  'reader nan nan-1',
  'reader nan-1 nan',
  'reader 1e03 1e3',
];

const withOddNames = (shell: Shell, body: (dom0: Dom0) => Promise<void>): Promise<void> =>
  withDom0(
    shell,
    async (dom0) => {
      for (const name of names)
        writeFileSync(`${dom0.directory}/xl/${name}.cfg`, `name = "${name}"\nextra = ""\n`);
      await body(dom0);
    },
    { mesh: () => table },
  );

describe.concurrent.each(shells)('%s', (shell) => {
  test('each VM has its own needs, its own domain-map entry and its own directory', () =>
    withOddNames(shell, async (dom0) => {
      dom0.on('create', 'plan', 'echo no memory >&2; exit 3');
      const { stdout, stderr } = await dom0.run('autostart', ['--parallel']);
      assert.deepEqual(
        stdout
          .trim()
          .split('\n')
          .map((line) => line.split(':', 1)[0]),
        ['trouble', '1e03', 'nan-1'],
      );
      assert.match(stderr, /^plan: "xl create .*" failed: no memory$/m);
      dom0.on('create', 'plan', '');
      assert.equal((await dom0.run('autostart')).status, 0);
      const [, , number, otherNumber, nan, other] = names.map(dom0.domidOf);
      const lines = await dom0.store();
      for (const line of [
        `/ipc/domain-map/nan = "${nan}" (n0,r${other})`,
        `/ipc/domain-map/1e03 = "${otherNumber}" (n0,r${number})`,
        `/ipc/domain-map/1e3 = "${number}" (n0)`,
        `/local/domain/${otherNumber}/ipc/direct/${number} = "" (n${otherNumber},r${number})`,
        `/local/domain/${nan}/ipc/direct/${other} = "" (n${nan},r${other})`,
      ])
        assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`);
    }));

  test('recreate accepts only the exact name, and autostart leaves a paused VM alone', () =>
    withOddNames(shell, async (dom0) => {
      await dom0.run('autostart');
      for (const name of ['1000', '01e3', 'na', 'n\\141n']) {
        const { status, stderr } = await dom0.run('recreate', [name]);
        assert.match(stderr, /^recreate: ".*" is not a VM of /);
        assert.equal(status, 1);
      }
      const [before, other] = [dom0.domidOf('1e03'), dom0.domidOf('1e3')];
      assert.equal((await dom0.run('recreate', ['1e03'])).status, 0);
      assert.ok(dom0.domidOf('1e03') > before);
      assert.equal(dom0.domidOf('1e3'), other);
      // autostart must not unpause a VM that another program has paused, whatever its name is.
      const state = `${dom0.sim.directory}/xl/domains/${dom0.domidOf('plan')}/state`;
      writeFileSync(state, '--p---\n');
      const { status, stderr } = await dom0.run('autostart');
      assert.match(stderr, /^plan: domain \d+ was paused by somebody else: xl unpause \d+$/m);
      assert.equal(status, 1);
    }));
});

/** dom0/autostart waits for net-vm's vifwatch, and for nothing else; whatever ends the wait leaves nothing behind. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { until } from '../support/until.ts';
import { becomeReady, type Dom0, shells, withDom0 } from './dom0.ts';
import { isRunning } from './running.ts';

const waits = (dom0: Dom0): Promise<void> =>
  until('autostart waits for net-vm', () => isRunning(dom0, 'xenstore-watch '));

/** Waits until autostart has looked at so many events, and found that net-vm is there and not ready. */
const hearing = (dom0: Dom0): ((events: number) => Promise<void>) => {
  const file = `${dom0.sim.directory}/heard`;
  dom0.before('xenstore-exists', `[ "$1" != /local/domain/1/domid ] || echo heard >>${file}`);
  const count = (): number =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  return (events) => until(`autostart hears of ${events} events`, () => count() >= events);
};

const nothingLeft = (dom0: Dom0): void =>
  assert.ok(!isRunning(dom0, 'xenstore-watch '), 'xenstore-watch is still there');

/** What it said when it is done, with its exit status. */
const end = async (autostart: ReturnType<Dom0['start']>) => {
  await autostart.ended;
  return { status: autostart.child.exitCode, output: autostart.log() };
};

describe.concurrent.each(shells)('%s', (shell) => {
  test('readiness may come late, after other words, and the other VMs start then', () =>
    withDom0(shell, async (dom0) => {
      dom0.on('boot', 'net-vm', '');
      const heard = hearing(dom0);
      const autostart = dom0.start('autostart');
      // A watch has an event at once, and here it has two paths.
      await heard(2);
      await dom0.sh('xenstore-write data/vifwatch/ready starting', 1);
      await heard(3);
      await dom0.sh('xenstore-write data/vifwatch/ready "ready "', 1);
      await heard(4);
      await dom0.sh('xenstore-rm data/vifwatch', 1);
      await heard(5);
      assert.throws(() => dom0.domidOf('sa-vm'));
      assert.equal(autostart.child.exitCode, null);
      await dom0.sh('xenstore-write data/vifwatch/ready ready', 1);
      const { status, output } = await end(autostart);
      assert.equal(status, 0, output);
      assert.match(output, /^net-vm: domain 1\nsa-vm: domain 2\n/);
      nothingLeft(dom0);
    }));

  test('never: nothing else is started', () =>
    withDom0(shell, async (dom0) => {
      dom0.on('boot', 'net-vm', '');
      const { status, stdout, stderr } = await dom0.run('autostart', ['--timeout', '1']);
      assert.equal(status, 1);
      assert.equal(stdout, 'net-vm: domain 1\n');
      assert.match(
        stderr,
        /^autostart: net-vm \(domain 1\): its vifwatch was not ready within 1 s: no other VM/,
      );
      assert.equal(stderr.trim().split('\n').length, 1, stderr);
      assert.throws(() => dom0.domidOf('sa-vm'));
      nothingLeft(dom0);
      dom0.on('boot', 'net-vm', becomeReady);
      // It runs already, so it does not boot again: this is its daemon that is ready at last.
      await dom0.sh('xenstore-write data/vifwatch/ready ready', 1);
      assert.equal((await dom0.run('autostart')).status, 0);
    }));

  test('net-vm goes meanwhile: the wait is over at once', () =>
    withDom0(shell, async (dom0) => {
      dom0.on('boot', 'net-vm', '');
      const autostart = dom0.start('autostart', '--timeout', '999999');
      await waits(dom0);
      await dom0.sh(`${dom0.tools}/xl destroy net-vm`);
      const { status, output } = await end(autostart);
      assert.equal(status, 1);
      assert.match(
        output,
        /^autostart: net-vm \(domain 1\) ended before its vifwatch was ready: no other/m,
      );
      nothingLeft(dom0);
    }));

  test('stopped by a terminal, it leaves no watch', () =>
    withDom0(shell, async (dom0) => {
      dom0.on('boot', 'net-vm', '');
      // A terminal's signal is for a process group; and it would not end by itself for days.
      const argv = [`${dom0.directory}/autostart`, '--timeout', '999999'];
      const ofTerminal = dom0.sim.inRig(dom0.shell('exec /usr/bin/setsid sh "$@"', argv));
      const autostart = dom0.sim.start('autostart', ofTerminal, { domid: 0 });
      await waits(dom0);
      process.kill(-autostart.pid, 'SIGINT');
      await autostart.ended;
      await until('the watch has ended', () => !isRunning(dom0, 'xenstore-watch '));
    }));
});

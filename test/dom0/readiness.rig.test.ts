/** dom0/autostart waits only for net-vm's vifwatch, and its wait leaves no process behind. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'vitest';
import { until } from '../support/until.ts';
import { becomeReady, type Dom0, shells, withDom0 } from './dom0.ts';
import { isRunning } from './running.ts';

const waits = (dom0: Dom0): Promise<void> =>
  until('autostart waits for net-vm', () => isRunning(dom0, 'xenstore-watch '));

/** Returns a wait: autostart has handled `events` watch events and found net-vm running but not ready. */
const hearing = (dom0: Dom0): ((events: number) => Promise<void>) => {
  const file = `${dom0.sim.directory}/heard`;
  dom0.before('xenstore-exists', `[ "$1" != /local/domain/1/domid ] || echo heard >>${file}`);
  const count = (): number =>
    existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
  return (events) => until(`autostart handles ${events} watch events`, () => count() >= events);
};

const nothingLeft = (dom0: Dom0): void =>
  assert.ok(!isRunning(dom0, 'xenstore-watch '), 'xenstore-watch is still there');

/** Waits for autostart's end; resolves with its output and its exit status. */
const end = async (autostart: ReturnType<Dom0['start']>) => {
  await autostart.ended;
  return { status: autostart.child.exitCode, output: autostart.log() };
};

describe.concurrent.each(shells)('%s', (shell) => {
  test('the other VMs start when net-vm becomes ready, even late and after other values of the node', () =>
    withDom0(shell, async (dom0) => {
      dom0.on('boot', 'net-vm', '');
      const heard = hearing(dom0);
      const autostart = dom0.start('autostart');
      // The watch has two paths, and each has an event at its start.
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

  test('without readiness, no other VM starts', () =>
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
      // net-vm runs already and does not boot again; now its daemon becomes ready.
      await dom0.sh('xenstore-write data/vifwatch/ready ready', 1);
      assert.equal((await dom0.run('autostart')).status, 0);
    }));

  test('the wait ends at once when net-vm goes away', () =>
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

  test('autostart that a terminal interrupts leaves no watch behind', () =>
    withDom0(shell, async (dom0) => {
      dom0.on('boot', 'net-vm', '');
      // A terminal signals a whole process group. The timeout is so long that only the signal ends the wait.
      const argv = [`${dom0.directory}/autostart`, '--timeout', '999999'];
      const ofTerminal = dom0.sim.inRig(dom0.shell('exec /usr/bin/setsid sh "$@"', argv));
      const autostart = dom0.sim.start('autostart', ofTerminal, { domid: 0 });
      await waits(dom0);
      process.kill(-autostart.pid, 'SIGINT');
      await autostart.ended;
      await until('the watch has ended', () => !isRunning(dom0, 'xenstore-watch '));
    }));
});

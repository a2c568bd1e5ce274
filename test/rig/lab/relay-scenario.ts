/**
 * Two VMs call each other through the relay net-vm until they have a direct link, and no call fails
 * meanwhile.
 */
import assert from 'node:assert/strict';
import { must, type Run } from './command.ts';
import type { Stopwatch } from './facts.ts';
import type { LabHost } from './lab-host.ts';
import { becomesLinked, needMesh, peersOf } from './mesh-host.ts';
import { startIn, writeFileIn } from './processes.ts';
import { until } from './until.ts';

const log = '/var/log/calls.log';
const caller = ['node', '/usr/lib/node_modules/vifwatch/dist/caller.js', 'mgmt-vm', 'who', log];

/** Each call's status and output: the service in mgmt-vm prints the caller and the route. */
const callsOf = async (run: Run): Promise<readonly string[]> => {
  const { stdout } = await run(['cat', log]);
  const lines = stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => line.replace(/^\d+ /, ''));
};

const relayed = '0 workload-vm net-vm';
const direct = '0 workload-vm directly';

export const relayGivesWayToDirectPair = async (
  host: LabHost,
  stopwatch: Stopwatch,
): Promise<void> => {
  const inWorkload: Run = (argv) => host.inVm('workload-vm', argv);
  const inMgmt: Run = (argv) => host.inVm('mgmt-vm', argv);
  await needMesh(host);
  await becomesLinked(host, 'net-vm', 'workload-vm', 'mgmt-vm');
  await inWorkload(['rm', '-f', log]);
  const pid = await startIn(inWorkload, caller, '/var/log/caller.log');
  const last = async () => (await callsOf(inWorkload)).slice(-3);
  const become = (what: string): Promise<true> =>
    until(
      async () =>
        ((await last()).every((line) => line === what) && (await last()).length > 0) || undefined,
      () => `the last calls are not all "${what}"`,
    );
  await become(relayed);
  const routes = async () =>
    (await peersOf(host, 'workload-vm')).find(({ name }) => name === 'mgmt-vm')?.route;
  assert.equal(await routes(), 'relay');

  await writeFileIn(inMgmt, '/etc/vifwatch/agent.toml', 'serve = ["workload-vm"]\n');
  await must(inMgmt, ['killall', '-HUP', 'node']);
  await become(direct);
  assert.equal(await routes(), 'direct');

  const before = (await callsOf(inWorkload)).length;
  await must((argv) => host.inVm('net-vm', argv), ['rc-service', 'vifwatch-agent', 'stop']);
  await until(
    async () => (await callsOf(inWorkload)).length > before + 3 || undefined,
    () => 'workload-vm finishes no calls after the stop of the relay',
  );
  await must(inWorkload, ['kill', pid]);
  const calls = await callsOf(inWorkload);
  const failed = calls.filter((call) => call !== relayed && call !== direct);
  assert.deepEqual(failed, []);
  stopwatch.note('relay_migration_calls', calls.length);
};

import assert from 'node:assert/strict';
import { outside4 } from '../host.ts';
import { must, type Run } from './command.ts';
import type { Stopwatch } from './facts.ts';
import type { LabHost } from './lab-host.ts';
import { startIn } from './processes.ts';
import { until } from './until.ts';

/** Seconds for which dom0 is observed while no test runs commands in it. */
const window = 6;

const pings = '/var/log/pings.log';
const calls = '/var/log/calls.log';

/**
 * Prints the differences of counters over the window: packets of all interfaces, and events from other
 * domains without those of disk backends. It is one command, because each command from outside causes events
 * itself.
 */
const counters = `
look() {
	awk 'NR > 2 { print "packets", $1, $3 + $11 }' /proc/net/dev
	awk '/xen-dyn/ && !/blkif-backend/ { print "events", $1 $NF, $2 }' /proc/interrupts
}
look >/tmp/before
sleep ${window}
look >/tmp/after
awk 'NR == FNR { n[$2] = $3; next } $3 != n[$2] { print $1, $2, $3 - n[$2] }' /tmp/before /tmp/after
`;

type Moved = { readonly packets: number; readonly events: number; readonly text: string };

const moved = async (inDom0: Run): Promise<Moved> => {
  const text = await must(inDom0, ['sh', '-c', counters]);
  const sum = (kind: string): number =>
    text
      .split('\n')
      .filter((line) => line.startsWith(kind))
      .reduce((all, line) => all + Number(line.split(' ')[2]), 0);
  return { packets: sum('packets'), events: sum('events'), text };
};

const linesOf = async (run: Run, file: string): Promise<number> =>
  Number(await must(run, ['sh', '-c', 'wc -l <"$1"', 'count', file]));

/** net-vm's daemon checks every three seconds that xenstored lives: one more or less of these in a window. */
const jitter = 2;

/**
 * While VMs ping and call each other, dom0 gets no packets, and no more events than while they are silent.
 */
export const dom0WhileVmsTalk = async (host: LabHost, stopwatch: Stopwatch): Promise<void> => {
  const run: Run = (argv) => host.inVm('workload-vm', argv);
  const caller = ['node', '/usr/lib/node_modules/vifwatch/dist/caller.js', 'net-vm', 'copy', calls];
  const silent = await moved(host.inDom0);
  const pids = await Promise.all([
    startIn(run, ['ping', '-i', '0.2', '10.0.5.103'], pings),
    startIn(run, ['ping', '-i', '0.2', outside4], pings),
    startIn(run, caller, calls),
  ]);
  const said = async (): Promise<number> =>
    (await linesOf(run, calls)) + (await linesOf(run, pings));
  await until(
    async () => ((await linesOf(run, calls)) > 3 && (await linesOf(run, pings)) > 3) || undefined,
    () => 'workload-vm has finished too few calls or pings',
  );
  const before = await said();
  const talking = await moved(host.inDom0);
  const talk = (await said()) - before;
  await must(run, ['kill', ...pids]);
  stopwatch.note('dom0_events_silent', silent.events);
  stopwatch.note('dom0_events_talking', talking.events);
  stopwatch.note('vm_calls_and_pings_meanwhile', talk);
  assert.equal(talking.packets, 0, talking.text);
  assert.ok(talk > 20, `only ${talk} calls and pings`);
  assert.ok(
    talking.events <= silent.events + jitter,
    `silent: ${silent.text}; talking: ${talking.text}`,
  );
};

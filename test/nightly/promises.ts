/**
 * The promises of the nightly run and their commands. `npm test` checks most of them with smaller samples.
 */
import { bench, lab, sampled, vitest } from './commands.ts';
import { type Judge, testsCount, testsPass, testsPassOn } from './judge.ts';
import type { Command } from './run-command.ts';

export type NightlyPromise = Command & {
  /** The part of the nightly run that it belongs to; a part can run alone. */
  readonly part: string;
  /** The name of its log. */
  readonly name: string;
  /** The promise as a sentence; the figure proves it. */
  readonly promise: string;
  readonly bound: string;
  readonly judge: Judge;
  /** Minutes on a machine where `node -e 0` takes 80 ms. */
  readonly usualMinutes: number;
};

export const promises: readonly NightlyPromise[] = [
  {
    part: 'fuzz',
    name: 'frames',
    promise: 'No bytes of a peer crash a link, leave a call waiting or go unanswered',
    ...sampled({
      file: 'test/ipc/protocol/fuzz.test.ts',
      variable: 'VIFWATCH_FUZZ',
      counts: 'inputs',
      atLeast: 1_000_000,
    }),
    usualMinutes: 10,
  },
  {
    part: 'fuzz',
    name: 'policy-texts',
    promise: 'The call policy parser returns for every text, and gives the place of each error',
    ...sampled({
      file: 'test/ipc/policy/fuzz.test.ts',
      variable: 'VIFWATCH_FUZZ',
      counts: 'texts',
      atLeast: 1_000_000,
    }),
    usualMinutes: 2,
  },
  {
    part: 'policies',
    name: 'policies',
    promise: 'Under random policies, the kernel and an independent model agree on every packet',
    ...sampled({
      file: 'test/network/daemon/policy-model.rig.test.ts',
      variable: 'VIFWATCH_POLICIES',
      counts: 'policies',
      atLeast: 500,
    }),
    usualMinutes: 4,
  },
  {
    part: 'sequences',
    name: 'sequences',
    promise: 'After random events, the kernel and xenstore are in the same state as after a start',
    ...sampled({
      file: 'test/network/daemon/convergence.rig.test.ts',
      variable: 'VIFWATCH_SEQUENCES',
      counts: 'sequences',
      atLeast: 100,
    }),
    usualMinutes: 12,
  },
  {
    part: 'programs',
    name: 'programs',
    promise: 'Programs that fail in any way, at any of their uses, stop nothing else',
    ...sampled({
      file: 'test/network/daemon/failing-programs.rig.test.ts',
      variable: 'VIFWATCH_FAILURES',
      counts: 'failures',
      atLeast: 56,
    }),
    usualMinutes: 7,
  },
  {
    part: 'kills',
    name: 'kills',
    promise:
      'A daemon that is killed at any instant leaves no forbidden flow and cuts no allowed one',
    ...sampled({
      file: 'test/network/daemon/killed-at-any-time.rig.test.ts',
      variable: 'VIFWATCH_KILLS',
      counts: 'kills',
      atLeast: 200,
    }),
    usualMinutes: 12,
  },
  {
    part: 'cycles',
    name: 'cycles',
    promise: 'Vifs that come and go leave nothing in the kernel, in xenstore or in the daemon',
    ...sampled({
      file: 'test/network/daemon/residue.rig.test.ts',
      variable: 'VIFWATCH_CYCLES',
      counts: 'cycles',
      atLeast: 5_000,
    }),
    usualMinutes: 8,
  },
  {
    part: 'relay',
    name: 'chaos',
    promise: 'While a relay and links come and go, no call runs twice, hangs or is torn',
    ...sampled({
      file: 'test/ipc/agent/relay-chaos.rig.test.ts',
      variable: 'VIFWATCH_CHAOS',
      counts: 'seconds',
      atLeast: 120,
    }),
    usualMinutes: 2.5,
  },
  {
    part: 'calls',
    name: 'short-calls',
    promise: 'Calls that write and close at once lose no byte',
    ...sampled({
      file: 'test/ipc/agent/streams.rig.test.ts',
      variable: 'VIFWATCH_CALLS',
      counts: 'calls',
      atLeast: 10_000,
    }),
    usualMinutes: 1,
  },
  {
    part: 'faults',
    name: 'known',
    promise: 'Each known fault still shows, so that the list of known faults is right',
    ...vitest(['--project', 'faults']),
    judge: testsPass,
    bound: 'all tests, which are expected to fail',
    usualMinutes: 11,
  },
  {
    part: 'sanitizers',
    name: 'native',
    promise: 'The address, leak and undefined behaviour sanitizers have nothing to report',
    ...vitest('test/native/sanitizer.rig.test.ts'),
    judge: testsCount('programs', 1),
    bound: '0 reports',
    usualMinutes: 3,
  },
  {
    part: 'sanitizers',
    name: 'threads',
    promise: "The thread sanitizer finds no data race between the addon's threads",
    ...vitest('test/native/threads.nightly.test.ts'),
    judge: testsCount('programs', 1),
    bound: '0 reports',
    usualMinutes: 1,
  },
  {
    promise: 'On real Xen, vifs come up, spoofing fails, vifs go away, and xl does not wait',
    ...lab('network'),
    usualMinutes: 3,
  },
  {
    promise: 'On real Xen, the daemon may be killed between any two steps',
    ...lab('daemonMayDieBetweenAnyTwoSteps'),
    usualMinutes: 2,
  },
  {
    promise: 'On real Xen, VMs call each other, and stock libxenvchan programs too',
    ...lab('ipc'),
    usualMinutes: 3,
  },
  {
    promise: 'On real Xen, one mesh file makes a host, and dom0 takes no part in its traffic',
    ...lab('host'),
    usualMinutes: 5,
  },
  {
    promise: 'Vifs come up and go away faster than with xl devd, by a small and quiet daemon',
    ...bench('network'),
    usualMinutes: 5,
  },
  {
    promise: 'Packets are forwarded nearly as fast as with plain routing, even with 1000 vifs',
    ...bench('forwarding'),
    usualMinutes: 5,
  },
  {
    promise: 'Calls are nearly as fast as the vchan rings that carry them',
    ...bench('calls'),
    usualMinutes: 4,
  },
  {
    part: 'node-versions',
    name: 'units',
    promise: 'The tests without rigs also pass on the other versions of Node.js',
    argv: ['sh', 'test/setup/node-versions.sh'],
    env: {},
    judge: testsPassOn(['22', '24']),
    bound: 'all tests, on 22 and 24',
    usualMinutes: 5,
  },
];

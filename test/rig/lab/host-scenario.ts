/**
 * One mesh file makes a whole host: the generated scripts boot it, and audits check it before and after
 * sabotage.
 */
import assert from 'node:assert/strict';
import { assertDoesNotReach, assertReaches } from '../../scenario/ping.ts';
import { gateway4, gateway6, outside4, outside6 } from '../host.ts';
import { must } from './command.ts';
import { dom0WhileVmsTalk } from './dom0-counters.ts';
import type { Stopwatch } from './facts.ts';
import type { LabHost } from './lab-host.ts';
import { assertClean, auditDom0, becomesLinked, bootMesh, inMesh, needMesh } from './mesh-host.ts';
import { runWithInput } from './processes.ts';
import { acts } from './sabotage.ts';

const linked = async (host: LabHost): Promise<void> => {
  await Promise.all([
    becomesLinked(host, 'sa-vm', 'workload-vm', 'mgmt-vm'),
    becomesLinked(host, 'net-vm', 'workload-vm', 'mgmt-vm'),
  ]);
};

/** Tries every flow that the mesh allows, and some that it forbids. */
const assertFlows = async (host: LabHost): Promise<void> => {
  const from = (name: string) => ({ host, from: { name } });
  await assertReaches(from('workload-vm'), gateway4, gateway6, outside4, outside6, '10.0.5.103');
  await assertReaches(from('mgmt-vm'), gateway4, outside4, 'fd00:5::1');
  await assertReaches(from('sa-vm'), gateway4);
  await assertDoesNotReach(from('sa-vm'), outside4, '10.0.5.102', '10.0.5.103');
  await assertDoesNotReach(from('mgmt-vm'), '10.0.5.102', '10.0.5.101', 'fd00:5::102');
};

type Expected = readonly [status: number, stdout: string];

const assertCall = async (
  host: LabHost,
  [from, to, service]: readonly [string, string, string],
  [status, stdout]: Expected,
): Promise<void> => {
  const argv = ['nice', 'vifwatch', 'call', to, service];
  const ended = await runWithInput((words) => host.inVm(from, words), argv, 'a line\n');
  assert.deepEqual(
    [ended.status, ended.stdout],
    [status, stdout],
    `${from} ${to}: ${ended.stderr}`,
  );
};

/** Calls in each of the four pairs, and makes two calls that the policies refuse. */
const assertCalls = async (host: LabHost): Promise<void> => {
  const signed = 'a line, signed with key1\n';
  await Promise.all([
    assertCall(host, ['workload-vm', 'sa-vm', 'sign+key1'], [7, signed]),
    assertCall(host, ['mgmt-vm', 'sa-vm', 'copy'], [0, 'a line\n']),
  ]);
  await Promise.all([
    assertCall(host, ['workload-vm', 'net-vm', 'copy'], [0, 'a line\n']),
    assertCall(host, ['mgmt-vm', 'net-vm', 'copy'], [0, 'a line\n']),
  ]);
  await Promise.all([
    assertCall(host, ['mgmt-vm', 'sa-vm', 'sign+key1'], [126, '']),
    assertCall(host, ['workload-vm', 'sa-vm', 'copy'], [126, '']),
  ]);
};

/** Recreates a VM under a new domid, and waits until all links are up again. */
const recreateOne = async (host: LabHost, stopwatch: Stopwatch): Promise<void> => {
  const before = await must(host.inDom0, ['xl', 'domid', 'workload-vm']);
  const ended = await inMesh(host, 'dash', 'recreate', '-f', 'workload-vm');
  assert.equal(ended.status, 0, `${ended.stdout}${ended.stderr}`);
  stopwatch.note('host_recreate_s', ended.seconds);
  assert.notEqual(`${await host.register('workload-vm')}`, before);
  await linked(host);
};

/** The audit must report each act with its codes and no others, and nothing after the undoing. */
const sabotage = async (host: LabHost): Promise<void> => {
  for (const { codes, act, undo } of acts) {
    await act(host);
    assert.deepEqual([...new Set(await auditDom0(host, 'dash'))].sort(), codes);
    await undo(host);
  }
  assert.deepEqual(await auditDom0(host, 'ash'), []);
};

/** A host from one mesh file allows the flows and calls of the file and no others. */
export const hostFromOneMeshFile = async (host: LabHost, stopwatch: Stopwatch): Promise<void> => {
  stopwatch.note('host_boot_s', await bootMesh(host, 'ash'));
  await linked(host);
  await assertFlows(host);
  await assertCalls(host);
  await assertClean(host, 'ash');
};

/** A VM is recreated, dom0 takes no part in the VMs' traffic, and the audit reports each sabotage. */
export const dom0StaysOutOfIt = async (host: LabHost, stopwatch: Stopwatch): Promise<void> => {
  await needMesh(host);
  await linked(host);
  await recreateOne(host, stopwatch);
  await assertCalls(host);
  await assertClean(host, 'ash');
  await dom0WhileVmsTalk(host, stopwatch);
  await sabotage(host);
};

/** The scripts boot the VMs of a level simultaneously. */
export const hostBootsInParallel = async (host: LabHost, stopwatch: Stopwatch): Promise<void> => {
  stopwatch.note('host_boot_parallel_s', await bootMesh(host, 'dash', '--parallel'));
  await linked(host);
  await assertFlows(host);
  await assertClean(host, 'dash');
};

/** The problems of vifs that their decisions do not contain. */
import { expect, test } from 'vitest';
import type { Problem } from '../../../src/errors.ts';
import { openVifProblems } from '../../../src/network/daemon/vif-problems.ts';
import { decideVifs } from '../../../src/network/vif/decide-vifs.ts';
import { backendVif, circumstances, emptyKernel } from '../store-fixture.ts';

const failed: Problem = { code: 'LINK_FAILED', text: 'ip failed' };
const fought: Problem = { code: 'DRIFT_FOUGHT', text: 'undone again' };
const decisions = decideVifs(
  circumstances([backendVif(3), backendVif(4, { 'hotplug-error': 'vifwatch: LINK_FAILED' })]),
);
const [first, second] = decisions;
if (first === undefined || second === undefined) throw new Error('decisions are missing');

const uncut: Problem = { code: 'FLOW_CUT_FAILED', text: 'conntrack failed' };

const openFakes = (linkProblem?: Problem, repairProblem?: Problem, cutProblem?: Problem) =>
  openVifProblems({
    linkTimeout: { problemOf: () => linkProblem },
    removals: { failureOf: () => undefined },
    flowCuts: { problemOf: () => cutProblem },
    repairBackoff: { problemOf: () => repairProblem },
    observed: { kernel: () => emptyKernel },
  });

test('a failure precedes uncut flows, and these precede damage by other programs', () => {
  expect(openFakes(failed, fought, uncut).problemOf(first)).toBe(failed);
  expect(openFakes(undefined, fought, uncut).problemOf(first)).toBe(uncut);
  expect(openFakes(undefined, fought).problemOf(first)).toBe(fought);
  expect(openFakes().problemOf(first)).toBe(undefined);
});

test('a foreign route before the route of a served vif is its problem', () => {
  const shadowingRoutes = new Map([
    ['10.0.5.3 vif3.0 ', { text: '10.0.5.3 dev eth0', isBeatable: false }],
  ]);
  const problems = openVifProblems({
    linkTimeout: { problemOf: () => undefined },
    removals: { failureOf: () => undefined },
    flowCuts: { problemOf: () => undefined },
    repairBackoff: { problemOf: () => undefined },
    observed: { kernel: () => ({ ...emptyKernel, shadowingRoutes }) },
  });
  expect(problems.problemOf(first)?.code).toBe('ROUTE_SHADOWED');
  expect(problems.problemOf(second)).toBe(undefined);
});

test('a failure is marked only in vifs whose xenstore does not show it yet', () => {
  expect(openFakes(failed).unmarked(decisions)).toEqual([{ key: '3/0', problem: failed }]);
});

test('uncut flows and damage by other programs are not marked in xenstore', () => {
  expect(openFakes(undefined, fought, uncut).unmarked(decisions)).toEqual([]);
});

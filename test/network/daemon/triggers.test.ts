/** The sources of change, each fed by hand. */
import { Subject } from 'rxjs';
import { expect, test } from 'vitest';
import { triggersOf } from '../../../src/network/daemon/triggers.ts';
import type { StoreChange } from '../../../src/network/store/vif-paths.ts';

const openFakes = () => {
  const calls: string[] = [];
  const call = (name: string) => (): void => {
    calls.push(name);
  };
  const sources = {
    requests: new Subject<void>(),
    store: new Subject<StoreChange>(),
    links: new Subject<void>(),
    trafficControl: new Subject<void>(),
    looks: new Subject<void>(),
    neighbours: new Subject<void>(),
    ruleset: new Subject<void>(),
    xenstored: new Subject<never>(),
    policies: new Subject<void>(),
    edits: new Subject<void>(),
  };
  const state = { isBringingUp: false };
  const errors: unknown[] = [];
  const triggers = triggersOf(sources, {
    observed: {
      touch: (change) => calls.push(`touch ${JSON.stringify(change)}`),
      invalidateLinks: call('invalidate links'),
      invalidateElements: call('invalidate elements'),
    },
    guard: { suspect: call('suspect'), linksChanged: call('guard links') },
    linksChanged: call('links changed'),
    listening: call('listening'),
    isBringingUp: () => state.isBringingUp,
  });
  triggers.subscribe({ next: call('trigger'), error: (error) => errors.push(error) });
  const callsOf = (emit: () => void): readonly string[] => {
    emit();
    return calls.splice(0);
  };
  return { sources, state, errors, callsOf };
};

test('requests and policies lead to a pass', () => {
  const { sources, callsOf } = openFakes();
  expect(callsOf(() => sources.requests.next())).toEqual(['trigger']);
  expect(callsOf(() => sources.policies.next())).toEqual(['trigger']);
});

test('an edit leads to no pass of its own', () => {
  const { sources, callsOf } = openFakes();
  expect(callsOf(() => sources.edits.next())).toEqual([]);
});

test('a change of the store is touched before its pass', () => {
  const { sources, callsOf } = openFakes();
  expect(callsOf(() => sources.store.next('names'))).toEqual(['touch "names"', 'trigger']);
});

test('a change of the ruleset makes it suspect and its elements stale', () => {
  const { sources, callsOf } = openFakes();
  expect(callsOf(() => sources.ruleset.next())).toEqual([
    'suspect',
    'invalidate elements',
    'listening',
    'trigger',
  ]);
});

test('changes of links and neighbours make the links stale', () => {
  const { sources, callsOf } = openFakes();
  const link = ['guard links', 'links changed', 'invalidate links'];
  expect(callsOf(() => sources.links.next())).toEqual([...link, 'trigger']);
  expect(callsOf(() => sources.neighbours.next())).toEqual(['invalidate links', 'trigger']);
});

test('while links are brought up, their changes are recorded but lead to no pass', () => {
  const { sources, state, callsOf } = openFakes();
  state.isBringingUp = true;
  const link = ['guard links', 'links changed', 'invalidate links'];
  expect(callsOf(() => sources.links.next())).toEqual(link);
  expect(callsOf(() => sources.neighbours.next())).toEqual(['invalidate links']);
});

test('a dead xenstored ends the stream with its error', () => {
  const { sources, errors } = openFakes();
  const hung = new Error('xenstored is hung');
  sources.xenstored.error(hung);
  expect(errors).toEqual([hung]);
});

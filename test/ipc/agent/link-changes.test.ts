/** The changes of peers that follow from two configurations. */
import { expect, test } from 'vitest';
import {
  type ConfiguredLinks,
  type Listed,
  linkChanges,
} from '../../../src/ipc/agent/link-changes.ts';
import { vm } from './fake-peers.ts';

const listed = (server: string, client: string): Listed => ({
  server: new Set(server.split(' ').filter(Boolean).map(vm)),
  client: new Set(client.split(' ').filter(Boolean).map(vm)),
});

type Facts = {
  readonly serves?: string;
  readonly connects?: string;
  readonly servesAll?: boolean;
  readonly relay?: string;
};

const links = ({ serves = '', connects = '', servesAll = false, relay }: Facts) =>
  ({
    listed: listed(serves, connects),
    servesAll,
    relay: relay === undefined ? undefined : vm(relay),
  }) satisfies ConfiguredLinks;

/** The changes as texts, for example `drop server a`. */
const changes = (before: Facts, after: Facts, serving: string, connecting: string) =>
  linkChanges(links(before), links(after), listed(serving, connecting)).map(
    ({ kind, role, name }) => `${kind} ${role} ${name}`,
  );

test('the first configuration adds all its links, the served ones first', () => {
  const added = ['add server a', 'add client b', 'add client c'];
  expect(changes({}, { connects: 'b c', serves: 'a' }, '', '')).toEqual(added);
});

test('the same configuration again changes nothing', () => {
  const same = { serves: 'a', connects: 'b', relay: 'b' };
  expect(changes(same, same, 'a', 'b')).toEqual([]);
});

test('a VM that is already an unlisted peer is not added again', () => {
  expect(changes({}, { connects: 'b' }, '', 'b')).toEqual([]);
});

test('links that are no longer listed are dropped; unlisted client peers stay', () => {
  const before = { serves: 'a', connects: 'b' };
  expect(changes(before, {}, 'a', 'b unlisted')).toEqual(['drop server a', 'drop client b']);
});

test('an agent that no longer serves everyone drops the unlisted served peers', () => {
  const after = { serves: 'a' };
  expect(changes({ servesAll: true }, after, 'a x y', '')).toEqual([
    'drop server x',
    'drop server y',
  ]);
});

test('an agent that serves everyone keeps a served VM that is no longer listed', () => {
  expect(changes({ serves: 'a' }, { servesAll: true }, 'a x', '')).toEqual([
    'keep-while-named server a',
  ]);
});

test('the previous relay is dropped once it is idle, in either role', () => {
  const connected = changes({ connects: 'r', relay: 'r' }, {}, '', 'r');
  expect(connected).toEqual(['drop-once-idle client r']);
  const served = changes({ serves: 'r', relay: 'r' }, { relay: 's', connects: 's' }, 'r', '');
  expect(served).toEqual(['drop-once-idle server r', 'add client s']);
});

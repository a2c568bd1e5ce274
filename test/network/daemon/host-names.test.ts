/** The repeated lookups of DNS names, and the answers in use meanwhile; clock and name servers are fakes. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openHostNames } from '../../../src/network/daemon/host-names.ts';
import type { Answer } from '../../../src/network/policy/name-addresses.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Each lookup of IPv4 addresses of `host.test` takes the next answer; there are no others. */
const hostWith = (...answers: readonly Answer[]) => {
  const asked: string[] = [];
  const hosts = openHostNames(async (name, family) => {
    if (family === 6) return { kind: 'none' };
    asked.push(name);
    return answers[asked.length - 1] ?? { kind: 'failed' };
  });
  let changes = 0;
  hosts.changes.subscribe(() => {
    changes += 1;
  });
  hosts.want(new Set(['host.test']));
  return { hosts, asked, changes: () => changes };
};

const failed: Answer = { kind: 'failed' };

const found = (ttlS: number, ...addresses: string[]): Answer => ({
  kind: 'addresses',
  records: addresses.map((address) => ({ address, ttlS })),
});

test('a name is looked up again when its TTL ends, but after 5 s at the earliest and an hour at the latest', async () => {
  const { hosts, asked } = hostWith(
    ...[found(60, 'a'), found(60, 'a'), found(0, 'a'), found(1e6, 'a'), found(60, 'a')],
  );
  await hosts.asked();
  const askedAfter = async (ms: number): Promise<number> => {
    await vi.advanceTimersByTimeAsync(ms);
    return asked.length;
  };
  // A second answer without a new address ends the first lookup.
  expect(await askedAfter(59_000)).toBe(2);
  expect(await askedAfter(1_000)).toBe(3);
  expect(await askedAfter(4_900)).toBe(3);
  expect(await askedAfter(100)).toBe(4);
  expect(await askedAfter(3_599_000)).toBe(4);
  expect(await askedAfter(1_000)).toBe(5);
});

test('the last answer stays in use while lookups fail, and every address ever found is remembered', async () => {
  const { hosts, changes } = hostWith(
    ...[failed, found(5, 'a'), failed, failed, found(5, 'b'), found(5, 'b')],
  );
  await hosts.asked();
  expect(hosts.addressesOf('host.test')).toBeUndefined();
  expect(hosts.everOf('host.test')).toBeUndefined();
  const seen: unknown[] = [];
  for (const _ of [1, 2, 3]) {
    await vi.advanceTimersByTimeAsync(5_000);
    seen.push(hosts.addressesOf('host.test'));
  }
  expect(seen).toEqual([['a'], ['a'], ['b']]);
  expect(hosts.everOf('host.test')).toEqual(new Set(['a', 'b']));
  expect(changes()).toBe(2);
});

test('a name that becomes wanted later had no address before its first answer', async () => {
  const { hosts } = hostWith(failed, failed);
  hosts.want(new Set(['host.test', 'later.test']));
  expect(hosts.everOf('host.test')).toBeUndefined();
  expect(hosts.everOf('later.test')).toEqual(new Set());
});

test('an address of a flow that was there at the start counts as found, for names of the start only', async () => {
  const { hosts } = hostWith(found(5, 'a'), found(5, 'a'));
  await hosts.asked();
  hosts.want(new Set(['host.test', 'later.test']));
  expect(hosts.pastOf('host.test')?.has('earlier')).toBe(true);
  expect(hosts.everOf('host.test')).toEqual(new Set(['a', 'earlier']));
  expect(hosts.pastOf('later.test')?.has('earlier')).toBe(false);
});

test('a name that no policy uses any more is forgotten and not looked up', async () => {
  const { hosts, asked } = hostWith(found(60, 'a'), found(60, 'a'));
  await hosts.asked();
  hosts.want(new Set());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(asked.length).toBe(2);
  expect(hosts.addressesOf('host.test')).toBeUndefined();
});

test('a name server that answers with one of several addresses in turn is asked for all of them', async () => {
  const { hosts, asked } = hostWith(...['a', 'b', 'c', 'a'].map((address) => found(60, address)));
  await hosts.asked();
  expect(hosts.addressesOf('host.test')).toEqual(['a', 'b', 'c']);
  expect(asked).toHaveLength(4);
});

test('a name server with endless addresses is asked 16 times', async () => {
  let count = 0;
  const hosts = openHostNames(async () => {
    count += 1;
    return found(60, `${count}`);
  });
  hosts.want(new Set(['host.test']));
  await hosts.asked();
  expect(count).toBe(32);
});

test('a name whose addresses have all ended keeps the last ones', async () => {
  const none: Answer = { kind: 'none' };
  const { hosts } = hostWith(found(5, 'a'), found(5, 'a'), none, none, none);
  await hosts.asked();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(hosts.addressesOf('host.test')).toEqual(['a']);
});

/** The relay's load: each source has a share of the streams to each target. */
import { expect, test } from 'vitest';
import { openRelayLoad } from '../../../src/ipc/agent/relay-load.ts';
import { vm } from './fake-peers.ts';

/** Adds calls while there is room, and returns how many. */
const fill = (load: ReturnType<typeof openRelayLoad>, from: string, to: string): number => {
  let count = 0;
  for (; load.hasRoom(vm(from), vm(to)); count += 1) load.add(vm(from), vm(to));
  return count;
};

test('a source has a quarter of the streams that the others leave free, per target', () => {
  const load = openRelayLoad();
  expect([fill(load, 'a', 'x'), fill(load, 'b', 'x'), fill(load, 'a', 'y')]).toEqual([
    256, 192, 256,
  ]);
  expect(load.total()).toBe(704);
});

test('a removed call makes room for its source', () => {
  const load = openRelayLoad();
  fill(load, 'a', 'x');
  load.remove(vm('a'), vm('x'));
  expect(load.hasRoom(vm('a'), vm('x'))).toBe(true);
  expect(fill(load, 'a', 'x')).toBe(1);
});

test('idle resolves at once without calls, otherwise with the end of the last one', async () => {
  const load = openRelayLoad();
  await load.idle();
  load.add(vm('a'), vm('x'));
  load.add(vm('b'), vm('y'));
  let isIdle = false;
  const idle = load.idle().then(() => {
    isIdle = true;
  });
  load.remove(vm('a'), vm('x'));
  await new Promise(setImmediate);
  expect(isIdle).toBe(false);
  load.remove(vm('b'), vm('y'));
  await idle;
});

/** The announcement that the daemon is ready, with promises that the tests resolve. */
import { expect, test } from 'vitest';
import { openAnnouncement } from '../../../src/network/daemon/announcement.ts';
import { deferred } from '../../../src/system/deferred.ts';

const openFakes = () => {
  const calls: string[] = [];
  const listening = deferred<void>();
  const settled = deferred<void>();
  const socket = deferred<void>();
  const announcement = openAnnouncement({
    listening: listening.promise,
    settled: () => settled.promise,
    openControl: async () => {
      calls.push('open');
      await socket.promise;
      return { close: () => calls.push('close') as never };
    },
    publishReadiness: async () => {
      calls.push('publish');
    },
  });
  return { announcement, calls, listening, settled, socket };
};

test('announces once the monitor listens and all work has ended', async () => {
  const { announcement, calls, listening, settled, socket } = openFakes();
  const announced = announcement.announce();
  settled.resolve();
  socket.resolve();
  await Promise.resolve();
  expect(calls).toEqual([]);
  listening.resolve();
  await announced;
  expect(calls).toEqual(['open', 'publish']);
  await announcement.withdraw();
  expect(calls).toEqual(['open', 'publish', 'close']);
});

test('a stop before the monitor listens ends the announcement', async () => {
  const { announcement, calls } = openFakes();
  const announced = announcement.announce();
  await announcement.withdraw();
  await announced;
  expect(calls).toEqual([]);
});

test('a stop while the socket is opened closes the socket after that', async () => {
  const { announcement, calls, listening, settled, socket } = openFakes();
  const announced = announcement.announce();
  listening.resolve();
  settled.resolve();
  await expect.poll(() => calls).toEqual(['open']);
  const withdrawn = announcement.withdraw();
  socket.resolve();
  await Promise.all([announced, withdrawn]);
  expect(calls).toEqual(['open', 'publish', 'close']);
});

test('a stop before the first pass has nothing to withdraw', async () => {
  const { announcement, calls } = openFakes();
  await announcement.withdraw();
  expect(calls).toEqual([]);
});

test('a socket that cannot be opened is an error of both', async () => {
  const { announcement, listening, settled, socket } = openFakes();
  const announced = announcement.announce();
  listening.resolve();
  settled.resolve();
  socket.reject(new Error('cannot listen'));
  await expect(announced).rejects.toThrow('cannot listen');
  await expect(announcement.withdraw()).rejects.toThrow('cannot listen');
});

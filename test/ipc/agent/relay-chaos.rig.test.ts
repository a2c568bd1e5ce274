/**
 * The relay and the links come and go at random. No call runs twice or hangs, and a successful call has its
 * complete output.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay, setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import { printFigures } from '../../support/figures.ts';
import { makeThree, startLinked } from './relay-vms.ts';
import { linkTo, peersBecome, startHost } from './vms.ts';

const relayed = { connect: ['mgmt-vm'], relay: 'mgmt-vm' };
/** Duration in seconds; `npm run nightly` asks for 120. */
const chaosSeconds = Number(process.env['VIFWATCH_CHAOS'] ?? 4);

/**
 * Calls `mark` with an id and random input, at a random pace, and cancels some calls. Classifies the answer.
 */
const callOnce = async (mux: Mux, id: string) => {
  const input = randomBytes(Math.floor(Math.random() * (Math.random() < 0.5 ? 6_000 : 300_000)));
  const isSlow = Math.random() < 0.4;
  const isCancelled = Math.random() < 0.1;
  const call = mux.open({ target: 'sa-vm', service: 'mark', argument: id });
  const said = buffer(call.stdout).catch(() => undefined);
  call.stderr.resume();
  const say = async (): Promise<void> => {
    for (let at = 0; at < input.length; at += 20_000) {
      call.stdin.write(input.subarray(at, at + 20_000));
      if (isSlow) await delay(Math.random() * 10);
    }
    if (isCancelled) call.cancel();
    else call.stdin.end();
  };
  void say();
  const outcome = await call.outcome;
  const isFine = outcome.kind === 'exited' && outcome.status === 0;
  const isTorn = isFine && !isCancelled && !(await said)?.equals(input);
  const isRefused = outcome.kind === 'refused';
  return { id, isFine, isTorn, isRefused, isCut: !isFine && !isRefused && !isCancelled };
};

const shuffled = <T>(items: readonly T[]): readonly T[] =>
  items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);

test('while the relay and links come and go, each call runs once or not at all', async () => {
  const host = await startHost();
  const marks = `${host.sim.directory}/marks`;
  rmSync(marks, { force: true });
  const mark = `#!/bin/sh\necho "$1" >>${marks}\nexec cat\n`;
  const { relay, sa, client } = await makeThree(host, { services: { mark } });
  await startLinked(relay, sa, client);
  const mux = await linkTo(client);
  const began = performance.now();
  const secondsSince = (): number => (performance.now() - began) / 1000;
  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const results: Awaited<ReturnType<typeof callOnce>>[] = [];
  let made = 0;
  const areResultsEnough = (): boolean =>
    results.filter(({ isFine }) => isFine).length > 20 && results.some(({ isCut }) => isCut);
  const callRepeatedly = async (): Promise<void> => {
    while (!isOver) {
      results.push(await callOnce(mux, `c${made++}`));
      // Calls that end at once must not starve the event loop.
      await setImmediate();
    }
  };
  const restart = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    await relay.signal(signal);
    await relay.start();
  };
  const disturbances: readonly (() => Promise<void> | void)[] = [
    () => sa.reload({ ...relayed, serve: ['workload-vm'] }),
    () => sa.reload(relayed),
    () => client.reload({ ...relayed, connect: ['mgmt-vm', 'sa-vm'] }),
    () => client.reload(relayed),
    () => restart('SIGTERM'),
    () => restart('SIGKILL'),
  ];
  /** Makes all disturbances in random order, at least twice, until the time is over and `areResultsEnough`. */
  const disturbRepeatedly = async (): Promise<void> => {
    const isDue = (): boolean => secondsSince() < chaosSeconds || !areResultsEnough();
    for (let round = 1; !isOver && (round <= 2 || isDue()); round += 1) {
      for (const disturbance of shuffled(disturbances)) {
        await delay(Math.random() * 300);
        await disturbance();
      }
    }
    isOver = true;
  };
  await Promise.all([disturbRepeatedly(), ...Array.from({ length: 6 }, callRepeatedly)]);
  const seconds = Math.floor(secondsSince());

  const ran = readFileSync(marks, 'utf8').trim().split('\n');
  expect(new Set(ran).size).toBe(ran.length);
  expect(results).toHaveLength(made);
  expect(results.filter(({ isTorn }) => isTorn)).toEqual([]);
  const wrong = results.filter(
    ({ id, isFine, isRefused }) => (isFine && !ran.includes(id)) || (isRefused && ran.includes(id)),
  );
  expect(wrong).toEqual([]);
  const fine = results.filter(({ isFine }) => isFine).length;
  for (const vm of [relay, sa, client]) {
    await peersBecome(vm, 'no call is open', ({ peers, relayed: passed }) =>
      [...peers.map(({ streams }) => streams), passed ?? 0].every((count) => count === 0),
    );
  }
  printFigures({ seconds, calls: made, endedWell: fine });
});

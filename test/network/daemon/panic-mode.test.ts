/** The daemon observes panic mode, and restores it when it is lost together with static rules. */
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { openPanicMode } from '../../../src/network/daemon/panic-mode.ts';

const openFakes = (observe: () => Promise<boolean>) => {
  const logged: string[] = [];
  let restorations = 0;
  const log = pino({ base: null }, { write: (line) => logged.push(JSON.parse(line).msg) });
  const panic = async (): Promise<void> => {
    restorations += 1;
  };
  const panicMode = openPanicMode({ isPanic: observe, panic }, log);
  return { panicMode, logged, restorations: () => restorations };
};

test('logs each change of panic mode once', () => {
  const { panicMode, logged } = openFakes(async () => true);
  for (const isObserved of [false, true, true, false, false])
    expect(panicMode.record(isObserved, true)).toBe(false);
  expect(logged).toEqual(['panic mode is on: all vifs are cut off', 'panic mode is off']);
});

test('panic mode that is lost together with static rules stays on and must be restored', async () => {
  const { panicMode, logged, restorations } = openFakes(async () => true);
  panicMode.record(true, true);
  expect(panicMode.record(false, false)).toBe(true);
  expect(panicMode.isOn()).toBe(true);
  await panicMode.restore();
  expect(restorations()).toBe(1);
  expect(logged).toHaveLength(2);
});

test('static rules that are lost without panic mode restore nothing', () => {
  const { panicMode } = openFakes(async () => true);
  expect(panicMode.record(false, false)).toBe(false);
  expect(panicMode.record(true, false)).toBe(false);
});

test('an observation that fails is logged and changes nothing', async () => {
  const { panicMode, logged } = openFakes(() => Promise.reject(new Error('nft failed')));
  expect(await panicMode.observe()).toBe(false);
  panicMode.record(true, true);
  expect(await panicMode.observe()).toBe(true);
  expect(logged).toContain('nft failed');
});

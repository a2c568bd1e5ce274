import { expect, test } from 'vitest';
import { until } from '../../support/until.ts';
import { hostile, startDenied } from './denied-vm.ts';

test('a denied VM that calls endlessly uses up its burst of log lines, and then has one a second', async () => {
  const victim = await startDenied(hostile, 'calls');
  const lines = (): number => victim.log().split('"evil"').length;
  await until('lines are suppressed', () => victim.log().includes('"suppressed"'));
  const [before, began] = [lines(), performance.now()];
  await until('five more lines are written', () => lines() >= before + 5);
  expect(performance.now() - began).toBeGreaterThan(3_500);
});

import { expect, test } from 'vitest';
import { initialWindow } from '../../../src/ipc/protocol/limits.ts';
import {
  newReadiness,
  noteClosed,
  noteReceived,
  noteTaken,
  takeGrant,
  takeStop,
} from '../../../src/ipc/protocol/readiness.ts';
import { fullBudget } from '../../../src/ipc/protocol/window.ts';

const half = initialWindow / 2;

test('a CREDIT becomes due once, when half of the window is taken', () => {
  const [readiness, budget] = [newReadiness(), fullBudget()];
  noteReceived(readiness, 'stdin', half + 1);
  expect(noteTaken(readiness, 0)).toBe(false);
  expect(noteTaken(readiness, half - 1)).toBe(false);
  expect(takeGrant(readiness, budget)).toBe(0);
  expect(noteTaken(readiness, 1)).toBe(true);
  expect(noteTaken(readiness, 1)).toBe(false);
  expect(takeGrant(readiness, budget)).toBe(half + 1);
  expect(takeGrant(readiness, budget)).toBe(0);
});

test('no CREDIT is due after the end, or after the consumer has stopped', () => {
  const [ended, closed, budget] = [newReadiness(), newReadiness(), fullBudget()];
  for (const readiness of [ended, closed]) {
    noteReceived(readiness, 'stdin', half);
    expect(noteTaken(readiness, half)).toBe(true);
  }
  noteReceived(ended, 'stdin', 0);
  noteClosed(closed, budget);
  expect([ended, closed].map((readiness) => takeGrant(readiness, budget))).toEqual([0, 0]);
  expect(noteTaken(ended, half)).toBe(false);
});

test('a STOP is due once, unless the end comes first', () => {
  const [once, late, ended, budget] = [
    newReadiness(),
    newReadiness(),
    newReadiness(),
    fullBudget(),
  ];
  expect(noteClosed(once, budget)).toBe(true);
  expect([takeStop(once), takeStop(once)]).toEqual([true, false]);
  noteClosed(late, budget);
  noteReceived(late, 'stdin', 0);
  expect(takeStop(late)).toBe(false);
  noteReceived(ended, 'stdin', 0);
  expect([noteClosed(ended, budget), takeStop(ended)]).toEqual([false, false]);
});

test('the window gives its growth back when the consumer stops', () => {
  const [readiness, budget] = [newReadiness(), fullBudget()];
  noteReceived(readiness, 'stdin', initialWindow);
  noteTaken(readiness, initialWindow);
  expect(takeGrant(readiness, budget)).toBe(2 * initialWindow);
  expect(budget.left).toBe(fullBudget().left - initialWindow);
  noteClosed(readiness, budget);
  expect(budget).toEqual(fullBudget());
});

test('data beyond the credit or the end is a violation, even after the consumer has stopped', () => {
  const [readiness, budget] = [newReadiness(), fullBudget()];
  noteClosed(readiness, budget);
  const tooMuch = initialWindow + 1;
  expect(() => noteReceived(readiness, 'stdin', tooMuch)).toThrow('bytes sent on a credit of');
  noteReceived(readiness, 'stdin', 0);
  expect(() => noteReceived(readiness, 'stdin', 1)).toThrow('stdin after its end');
});

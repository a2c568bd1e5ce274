/** The times at which links and elements are observed, with a clock that the tests move. */
import { expect, test } from 'vitest';
import { openObservationSchedule } from '../../../src/network/daemon/observation-schedule.ts';

const current = { links: false, elements: false, verification: false };
const nothing = { links: false, elements: false };

const openAt = (startMs: number) => {
  let now = startMs;
  const schedule = openObservationSchedule(() => now);
  return {
    worked: schedule.worked,
    pass: (ms: number) => {
      now += ms;
    },
    next: (due: Partial<typeof current>, { isQuiet = true, mayOpen = true } = {}) =>
      schedule.next({ due: { ...current, ...due }, isQuiet, mayOpen }),
  };
};

test('state that is not current is observed at once if no worker has worked', () => {
  const { next } = openAt(0);
  expect(next({})).toEqual(nothing);
  expect(next({ links: true })).toEqual({ links: true, elements: false });
  expect(next({ elements: true })).toEqual({ links: false, elements: true });
});

test('after work, stale state is observed 30 ms later', () => {
  const { next, worked, pass } = openAt(1_000);
  worked();
  expect(next({ links: true })).toEqual({ ...nothing, retryInMs: 30 });
  pass(10);
  expect(next({ links: true })).toEqual({ ...nothing, retryInMs: 20 });
  pass(20);
  expect(next({ links: true })).toEqual({ links: true, elements: false });
});

test("the daemon's own changes are verified 500 ms after the last work", () => {
  const { next, worked, pass } = openAt(1_000);
  worked();
  expect(next({ verification: true })).toEqual({ ...nothing, retryInMs: 500 });
  pass(30);
  expect(next({ verification: true, links: true })).toEqual({ links: true, elements: false });
  pass(470);
  expect(next({ verification: true })).toEqual({ links: false, elements: true });
});

test('while a worker works, stale state is asked about again when it is overdue: the work may hang', () => {
  const { next, pass } = openAt(0);
  const due = { links: true, elements: true };
  expect(next(due, { isQuiet: false })).toEqual({ ...nothing, retryInMs: 301 });
  pass(100);
  expect(next(due, { isQuiet: false })).toEqual({ ...nothing, retryInMs: 201 });
  pass(201);
  expect(next(due, { isQuiet: false })).toEqual({ links: true, elements: true });
});

test('while a worker works, its end leads to the verification, and no retry is needed', () => {
  const { next } = openAt(0);
  expect(next({ verification: true }, { isQuiet: false })).toEqual(nothing);
});

test('state that is stale for over 300 ms is observed although workers work', () => {
  const { next, worked, pass } = openAt(0);
  expect(next({ links: true }, { isQuiet: false })).toMatchObject(nothing);
  pass(300);
  worked();
  expect(next({ links: true }, { isQuiet: false })).toEqual({ ...nothing, retryInMs: 1 });
  pass(1);
  expect(next({ links: true }, { isQuiet: false })).toEqual({ links: true, elements: false });
  expect(next({ links: true }, { isQuiet: false })).toMatchObject(nothing);
});

test('state that became current meanwhile is not overdue later', () => {
  const { next, pass } = openAt(0);
  next({ links: true }, { isQuiet: false });
  pass(200);
  next({ verification: true }, { isQuiet: false });
  pass(200);
  expect(next({ links: true }, { isQuiet: false })).toMatchObject(nothing);
});

test('elements are not observed while all vifs must stay closed', () => {
  const { next } = openAt(0);
  const due = { elements: true, verification: true };
  expect(next(due, { mayOpen: false })).toEqual(nothing);
  expect(next({ ...due, links: true }, { mayOpen: false })).toEqual({
    links: true,
    elements: false,
  });
});

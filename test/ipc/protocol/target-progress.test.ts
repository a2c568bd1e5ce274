import { expect, test } from 'vitest';
import {
  type CallEnd,
  decideEnd,
  isEndDue,
  newTargetProgress,
  noteFromCaller,
  takeEnd,
} from '../../../src/ipc/protocol/target-progress.ts';

const exit: CallEnd = { kind: 'exit', status: 7 };
const refusal: CallEnd = { kind: 'refusal', refusal: { code: 'denied', text: 'no' } };

test('EXIT waits until both outputs have ended', () => {
  const target = newTargetProgress();
  expect(isEndDue(target, true)).toBe(false);
  expect(decideEnd(target, exit)).toBe('exit');
  expect(takeEnd(target, false)).toBeUndefined();
  expect(takeEnd(target, true)).toEqual({ name: 'exit', payload: Buffer.from([7]) });
  expect(target.state).toBe('ended');
});

test('an end goes out once', () => {
  const target = newTargetProgress();
  decideEnd(target, exit);
  takeEnd(target, true);
  expect(isEndDue(target, true)).toBe(false);
  expect(takeEnd(target, true)).toBeUndefined();
});

test('REFUSE waits for no output', () => {
  const target = newTargetProgress();
  expect(decideEnd(target, refusal)).toBe('refuse');
  expect(takeEnd(target, false)).toEqual({ name: 'refuse', payload: Buffer.from('\x01no') });
});

test('a refusal after output becomes exit status 125', () => {
  const target = newTargetProgress();
  target.answered = true;
  expect(decideEnd(target, refusal)).toBe('exit');
  expect(takeEnd(target, false)).toBeUndefined();
  expect(takeEnd(target, true)).toEqual({ name: 'exit', payload: Buffer.from([125]) });
});

test('only the first decision counts', () => {
  const target = newTargetProgress();
  decideEnd(target, exit);
  expect(decideEnd(target, refusal)).toBeUndefined();
  expect(takeEnd(target, true)?.name).toBe('exit');
});

test('the end of a cancelled call waits for the decision only', () => {
  const target = newTargetProgress();
  expect(noteFromCaller(target, 'cancel')).toBe(true);
  expect(isEndDue(target, true)).toBe(false);
  decideEnd(target, exit);
  expect(takeEnd(target, false)).toEqual({ name: 'exit', payload: Buffer.from([7]) });
  expect(target.state).toBe('spent');
});

test('a frame is checked in its state, and ignored once the stream is gone', () => {
  const target = newTargetProgress();
  expect(() => noteFromCaller(target, 'release')).toThrow('release on a stream that is open');
  target.state = 'gone';
  expect(noteFromCaller(target, 'release')).toBe(false);
  expect(isEndDue(target, true)).toBe(false);
});

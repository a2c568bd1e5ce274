import { expect, test } from 'vitest';
import {
  cancelCaller,
  isCallActive,
  newCallerProgress,
  noteFromTarget,
} from '../../../src/ipc/protocol/caller-progress.ts';

const yes = () => true;
const no = () => false;

test('EXIT after an answer needs the end of both outputs', () => {
  const [early, late] = [newCallerProgress(), newCallerProgress()];
  for (const caller of [early, late]) noteFromTarget(caller, 'stdout', no);
  expect(() => noteFromTarget(early, 'exit', no)).toThrow('exit before the end of the outputs');
  noteFromTarget(late, 'exit', yes);
  expect([late.state, isCallActive(late)]).toEqual(['gone', false]);
});

test('a frame after the end is a violation', () => {
  const caller = newCallerProgress();
  noteFromTarget(caller, 'refuse', no);
  expect(() => noteFromTarget(caller, 'stdout', no)).toThrow('stdout on a stream that has ended');
});

test('a cancelled call waits for no output', () => {
  const caller = newCallerProgress();
  noteFromTarget(caller, 'stdout', no);
  expect(cancelCaller(caller)).toBe(true);
  expect([caller.cancelDue, isCallActive(caller)]).toEqual([true, false]);
  noteFromTarget(caller, 'exit', no);
  expect(caller.state).toBe('gone');
});

test('a call is cancelled once, and not after its end', () => {
  const [twice, ended] = [newCallerProgress(), newCallerProgress()];
  cancelCaller(twice);
  expect(cancelCaller(twice)).toBe(false);
  noteFromTarget(ended, 'refuse', no);
  expect([cancelCaller(ended), ended.cancelDue]).toEqual([false, false]);
});

/** A stream's progress at its caller: which frames are due, and when the target may end the call. */
import { Violation } from './close-reason.ts';
import type { FrameName } from './frame.ts';
import { afterTarget, type CallerState, cancelledCaller } from './stream-state.ts';

export type CallerProgress = {
  state: CallerState | 'gone';
  openDue: boolean;
  cancelDue: boolean;
};

/** The progress before OPEN or VOUCH is sent. */
export const newCallerProgress = (): CallerProgress => ({
  state: 'opened',
  openDue: true,
  cancelDue: false,
});

/** Whether the caller may send STDIN, CREDIT and STOP: it may not after a cancel or the call's end. */
export const isCallActive = ({ state }: CallerProgress): boolean =>
  state === 'opened' || state === 'answered';

/** Cancels the call. Returns false if nothing is left to cancel. */
export const cancelCaller = (caller: CallerProgress): boolean => {
  if (caller.state === 'gone' || !isCallActive(caller)) return false;
  caller.state = cancelledCaller[caller.state];
  caller.cancelDue = true;
  return true;
};

/**
 * Notes a frame of the target.
 * @throws Violation if the frame is illegal in this state, or if EXIT comes before the end of the outputs
 */
export const noteFromTarget = (
  caller: CallerProgress,
  name: FrameName,
  haveOutputsEnded: () => boolean,
): void => {
  const { state } = caller;
  if (state === 'gone') throw new Violation('state', `${name} on a stream that has ended`);
  caller.state = afterTarget(state, name);
  if (name === 'exit' && state === 'answered' && !haveOutputsEnded()) {
    throw new Violation('state', 'exit before the end of the outputs');
  }
};

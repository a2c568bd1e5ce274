/** A stream's progress at its target: it decides when and with which frame the target ends the stream. */
import { failedStatus, type Refusal } from './call.ts';
import type { FrameName } from './frame.ts';
import { encodeRefusal } from './request.ts';
import { afterCaller, endedTarget, type TargetState } from './stream-state.ts';

/** How the service ends its call. */
export type CallEnd =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'refusal'; readonly refusal: Refusal };

export type TargetProgress = {
  state: TargetState | 'gone';
  /** Whether output was sent: REFUSE is illegal after that. */
  answered: boolean;
  end: CallEnd | undefined;
};

/** The progress after OPEN or VOUCH. */
export const newTargetProgress = (): TargetProgress => ({
  state: 'open',
  answered: false,
  end: undefined,
});

/**
 * Notes a frame of the caller. Returns false if the stream is gone, and the frame is to be ignored.
 * @throws Violation if the frame is illegal in this state
 */
export const noteFromCaller = (target: TargetProgress, name: FrameName): boolean => {
  if (target.state === 'gone') return false;
  target.state = afterCaller(target.state, name);
  return true;
};

/** The refusal with which the stream ends; undefined if it ends with EXIT, or its end is not decided. */
const refusalOf = ({ end, answered }: TargetProgress): Refusal | undefined =>
  end?.kind === 'refusal' && !answered ? end.refusal : undefined;

/**
 * Decides how the call ends, unless that is decided already. Returns the frame that will end the stream;
 * undefined if nothing changed.
 */
export const decideEnd = (target: TargetProgress, end: CallEnd): 'refuse' | 'exit' | undefined => {
  if (target.end !== undefined) return undefined;
  target.end = end;
  return refusalOf(target) === undefined ? 'exit' : 'refuse';
};

/** Whether REFUSE or EXIT is due. Neither a cancelled nor a refused call waits for its outputs. */
export const isEndDue = (target: TargetProgress, haveOutputsEnded: boolean): boolean =>
  target.end !== undefined &&
  (target.state === 'cancelled' ||
    (target.state === 'open' && (refusalOf(target) !== undefined || haveOutputsEnded)));

/** Returns the frame that is due to end the stream, and ends the stream; undefined if none is due. */
export const takeEnd = (
  target: TargetProgress,
  haveOutputsEnded: boolean,
): { readonly name: 'refuse' | 'exit'; readonly payload: Buffer } | undefined => {
  const { state, end } = target;
  if (!isEndDue(target, haveOutputsEnded)) return undefined;
  if (end === undefined || (state !== 'open' && state !== 'cancelled')) return undefined;
  target.state = endedTarget[state];
  const refusal = refusalOf(target);
  if (refusal !== undefined) return { name: 'refuse', payload: encodeRefusal(refusal) };
  const status = end.kind === 'exit' ? end.status : failedStatus;
  return { name: 'exit', payload: Buffer.from([status]) };
};

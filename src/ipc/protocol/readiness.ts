/** Decides when a channel's receiving end owes its sender a CREDIT or a STOP. */
import { Violation } from './close-reason.ts';
import { type GrowthBudget, giveBack, grant, newWindow, receive, take } from './window.ts';

type Readiness = ReturnType<typeof newReadiness>;

export const newReadiness = () => ({
  window: newWindow(),
  /** Whether the sender has ended the channel: after that, nothing is due. */
  ended: false,
  /** Whether the consumer has stopped reading. */
  closed: false,
  grantDue: false,
  stopDue: false,
});

/**
 * Notes received bytes; 0 bytes are the end.
 * @throws Violation on data beyond the credit or the end
 */
export const noteReceived = (readiness: Readiness, channel: string, bytes: number): void => {
  if (readiness.ended) throw new Violation('state', `${channel} after its end`);
  if (bytes > 0) receive(readiness.window, bytes);
  else readiness.ended = true;
};

/** Notes bytes that the consumer took. Returns true if a CREDIT becomes due. */
export const noteTaken = (readiness: Readiness, bytes: number): boolean => {
  const { window, ended, grantDue } = readiness;
  if (ended || bytes === 0 || !take(window, bytes) || grantDue) return false;
  readiness.grantDue = true;
  return true;
};

/** Notes that the consumer has stopped reading. Returns true if a STOP becomes due. */
export const noteClosed = (readiness: Readiness, budget: GrowthBudget): boolean => {
  readiness.closed = true;
  giveBack(readiness.window, budget);
  if (readiness.ended) return false;
  readiness.stopDue = true;
  return true;
};

/** Returns the credit to grant now, in bytes; 0 if none is due. */
export const takeGrant = (readiness: Readiness, budget: GrowthBudget): number => {
  const isDue = readiness.grantDue && !readiness.ended && !readiness.closed;
  readiness.grantDue = false;
  return isDue ? grant(readiness.window, budget) : 0;
};

/** Whether a STOP is due. True only once. */
export const takeStop = (readiness: Readiness): boolean => {
  const isDue = readiness.stopDue && !readiness.ended;
  readiness.stopDue = false;
  return isDue;
};

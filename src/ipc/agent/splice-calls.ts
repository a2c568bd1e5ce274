/** Joins a program's call, or a call to relay, with the call that the agent makes for it. */
import type { Readable, Writable } from 'node:stream';
import {
  failedStatus,
  type IncomingCall,
  type Outcome,
  type OutgoingCall,
} from '../protocol/call.ts';
import { pump } from '../services/pump.ts';

/**
 * Cancels the remote call with the local one. Does not wait for the target's answer, which may never come.
 */
const cancelled = (local: IncomingCall, remote: OutgoingCall): Promise<Outcome> =>
  new Promise((resolve) => {
    const giveUp = (): void => {
      remote.cancel();
      resolve({ kind: 'exited', status: failedStatus });
    };
    if (local.cancelled.aborted) giveUp();
    local.cancelled.addEventListener('abort', giveUp);
  });

/**
 * Resolves when all data is passed on. It does not end `to`: the outcome does that, and it may be a refusal.
 * If `to` closes, `from` is stopped. Plain events: the errors of `pipeline` have stack traces, which cost
 * more than a short call.
 */
const forward = (from: Readable, to: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (from.closed) resolve();
    from.once('close', resolve);
    to.once('close', () => from.destroy());
    if (to.destroyed) from.destroy();
    else from.pipe(to, { end: false });
  });

/** Passes on the remote call's outputs, but not its stdin, and resolves with its outcome. Never rejects. */
export const forwardOutputs = async (
  local: IncomingCall,
  remote: OutgoingCall,
): Promise<Outcome> => {
  const outputs = Promise.all([
    forward(remote.stdout, local.stdout),
    forward(remote.stderr, local.stderr),
  ]);
  const outcome = await Promise.race([remote.outcome, cancelled(local, remote)]);
  if (outcome.kind !== 'refused') await outputs;
  return outcome;
};

/** Ends the local call as the remote one has ended. */
export const endLocalCall = (local: IncomingCall, outcome: Outcome): void => {
  if (outcome.kind === 'refused') {
    local.refuse(outcome.refusal);
    return;
  }
  if (outcome.kind === 'lost')
    local.stderr.write(`vifwatch: the link was lost: ${outcome.reason}\n`);
  local.exit(outcome.kind === 'lost' ? failedStatus : outcome.status);
};

/** Connects all channels of two calls. Resolves when the local call has ended, and never rejects. */
export const spliceCalls = async (local: IncomingCall, remote: OutgoingCall): Promise<void> => {
  // Either end may close stdin early. `pump` passes that on, and the outcome reports the rest.
  void pump(local.stdin, remote.stdin);
  endLocalCall(local, await forwardOutputs(local, remote));
};

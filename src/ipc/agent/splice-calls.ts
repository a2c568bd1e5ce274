/** Joins a call with the one that the agent makes for it: a program's, or one that it relays. */
import type { Readable, Writable } from 'node:stream';
import type { IncomingCall, Outcome, OutgoingCall } from '../protocol/call.ts';
import { pump } from '../services/pump.ts';

/** As qrexec's for trouble that is neither a refusal nor the service's. */
const failedStatus = 125;

/** Cancels the remote call with the local one. Nobody waits for what the target says to that: it may never. */
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
 * Resolves when there is no more to pass on. The end is left to the outcome, which may be a refusal; who takes no more
 * stops who sends. Plain events: `pipeline` would make errors with stack traces, which cost more than a short call.
 */
const forward = (from: Readable, to: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (from.closed) resolve();
    from.once('close', resolve);
    to.once('close', () => from.destroy());
    if (to.destroyed) from.destroy();
    else from.pipe(to, { end: false });
  });

/** How the remote call ended, once all that it said is passed on. Never rejects. Its stdin is not seen to. */
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

/** Resolves when the local call has ended; whatever happens, it does not reject. */
export const spliceCalls = async (local: IncomingCall, remote: OutgoingCall): Promise<void> => {
  // An end that closes early is that end's decision: it is passed on, and the outcome tells the rest.
  void pump(local.stdin, remote.stdin);
  endLocalCall(local, await forwardOutputs(local, remote));
};

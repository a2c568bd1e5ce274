/** Joins a program's call with the one that the agent makes for it. */
import { pipeline } from 'node:stream/promises';
import type { IncomingCall, Outcome, OutgoingCall } from '../protocol/call.ts';

/** As qrexec's for trouble that is neither a refusal nor the service's. */
const problem = 125;

/** Cancels the remote call with the local one. Nobody waits for what the target says to that: it may never. */
const cancelled = (local: IncomingCall, remote: OutgoingCall): Promise<Outcome> =>
  new Promise((resolve) => {
    const giveUp = (): void => {
      remote.cancel();
      resolve({ kind: 'exited', status: problem });
    };
    if (local.cancelled.aborted) giveUp();
    local.cancelled.addEventListener('abort', giveUp);
  });

/** Resolves when the local call has ended; whatever happens, it does not reject. */
export const couple = async (local: IncomingCall, remote: OutgoingCall): Promise<void> => {
  // An end that closes early is that end's decision: the pipeline passes it on, and the outcome tells the rest.
  pipeline(local.stdin, remote.stdin).catch(() => {});
  const outputs = Promise.allSettled([
    pipeline(remote.stdout, local.stdout, { end: false }),
    pipeline(remote.stderr, local.stderr, { end: false }),
  ]);
  const outcome = await Promise.race([remote.outcome, cancelled(local, remote)]);
  if (outcome.kind === 'refused') return local.refuse(outcome.refusal);
  await outputs;
  if (outcome.kind === 'lost')
    local.stderr.write(`vifwatch: the link was lost: ${outcome.reason}\n`);
  local.exit(outcome.kind === 'lost' ? problem : outcome.status);
};

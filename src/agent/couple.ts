/** Joins a program's call with the one that the agent makes for it. */
import { pipeline } from 'node:stream/promises';
import type { IncomingCall, OutgoingCall } from '../protocol/call.ts';

/** Resolves when the call has ended at both sides; whatever happens, it does not reject. */
export const couple = async (local: IncomingCall, remote: OutgoingCall): Promise<void> => {
  const cancel = (): void => remote.cancel();
  if (local.cancelled.aborted) cancel();
  local.cancelled.addEventListener('abort', cancel);
  // An end that closes early is that end's decision: the pipeline passes it on, and the outcome tells the rest.
  pipeline(local.stdin, remote.stdin).catch(() => {});
  const outputs = Promise.allSettled([
    pipeline(remote.stdout, local.stdout, { end: false }),
    pipeline(remote.stderr, local.stderr, { end: false }),
  ]);
  const outcome = await remote.outcome;
  if (outcome.kind === 'refused') {
    local.refuse(outcome.refusal);
    return;
  }
  await outputs;
  if (outcome.kind === 'lost') {
    local.stderr.write(`vifwatch: the link was lost: ${outcome.reason}\n`);
    local.exit(125);
    return;
  }
  local.exit(outcome.status);
};

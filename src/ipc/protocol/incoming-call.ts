/** A call as its service sees it: the service's end of the three channels, and its decision on the end. */
import type { CallRequest, IncomingCall } from './call.ts';
import type { ChannelError } from './channel-error.ts';
import type { Inbound } from './inbound.ts';
import type { Outbound } from './outbound.ts';
import { type CallEnd, decideEnd, type TargetProgress } from './target-progress.ts';

type CallParts = {
  readonly stdin: Inbound;
  readonly stdout: Outbound;
  readonly stderr: Outbound;
  readonly target: TargetProgress;
  /** Called when the service has decided how the call ends. */
  readonly onDecided: () => void;
};

export const openIncomingCall = (
  request: CallRequest,
  { stdin, stdout, stderr, target, onDecided }: CallParts,
): {
  readonly call: IncomingCall;
  /** Destroys the channels and aborts the signal: the caller has cancelled, or the link is lost. */
  readonly abandon: (error: ChannelError) => void;
} => {
  const controller = new AbortController();

  const decide = (end: CallEnd): void => {
    const frame = decideEnd(target, end);
    if (frame === undefined) return;
    // The service reads no more input. This is not an error: it may have read all that it needs.
    stdin.readable.destroy();
    for (const { writable } of [stdout, stderr]) {
      if (frame === 'refuse') writable.destroy();
      else writable.end();
    }
    onDecided();
  };

  return {
    call: {
      request,
      stdin: stdin.readable,
      stdout: stdout.writable,
      stderr: stderr.writable,
      cancelled: controller.signal,
      refuse: (refusal) => decide({ kind: 'refusal', refusal }),
      exit: (status) => decide({ kind: 'exit', status }),
    },
    abandon: (error) => {
      stdin.readable.destroy(error);
      stdout.fail(error);
      stderr.fail(error);
      controller.abort(error);
    },
  };
};

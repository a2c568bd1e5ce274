/** A call as its caller sees it: the caller's end of the three channels, and the outcome. */
import { deferred } from '../../system/deferred.ts';
import type { Outcome, OutgoingCall } from './call.ts';
import { type CallerProgress, cancelCaller } from './caller-progress.ts';
import { brokenPipe, ChannelError } from './channel-error.ts';
import type { Inbound } from './inbound.ts';
import type { Outbound } from './outbound.ts';

type CallParts = {
  readonly stdin: Outbound;
  readonly stdout: Inbound;
  readonly stderr: Inbound;
  readonly caller: CallerProgress;
  /** Called when the caller has cancelled. */
  readonly onCancelled: () => void;
};

export const openOutgoingCall = ({
  stdin,
  stdout,
  stderr,
  caller,
  onCancelled,
}: CallParts): {
  readonly call: OutgoingCall;
  /** Ends the channels that are still open, and settles the outcome. */
  readonly end: (outcome: Outcome) => void;
  /** Destroys the channels that are still open, because the link is lost. */
  readonly lose: (reason: string) => void;
} => {
  const outcome = deferred<Outcome>();

  const cancel = (): void => {
    if (!cancelCaller(caller)) return;
    const error = new ChannelError('CANCELLED', 'the call was cancelled');
    stdin.fail(error);
    stdout.readable.destroy(error);
    stderr.readable.destroy(error);
    onCancelled();
  };

  return {
    call: {
      stdin: stdin.writable,
      stdout: stdout.readable,
      stderr: stderr.readable,
      outcome: outcome.promise,
      cancel,
    },
    end: (how) => {
      if (!stdin.hasEnded()) stdin.fail(brokenPipe());
      if (!stdout.hasEnded()) stdout.end();
      if (!stderr.hasEnded()) stderr.end();
      outcome.resolve(how);
    },
    lose: (reason) => {
      caller.state = 'gone';
      const error = new ChannelError('LINK_LOST', reason);
      stdin.fail(error);
      stdout.fail(error);
      stderr.fail(error);
      outcome.resolve({ kind: 'lost', reason });
    },
  };
};

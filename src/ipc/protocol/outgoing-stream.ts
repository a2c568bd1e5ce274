/** A stream at its caller. */

import { deferred } from '../../system/deferred.ts';
import {
  brokenPipe,
  type CallRequest,
  ChannelError,
  type Outcome,
  type OutgoingCall,
} from './call.ts';
import {
  type CallerProgress,
  cancelCaller,
  isCallActive,
  newCallerProgress,
  noteFromTarget,
} from './caller-progress.ts';
import { type LinkResources, sendReadiness, takeReadiness } from './channels.ts';
import type { FrameName } from './frame.ts';
import { createInbound, type Inbound } from './inbound.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { encodeRequest, readRefusal } from './request.ts';
import { notWaiting, type Sender } from './scheduler.ts';

type CallParts = {
  readonly stdin: Outbound;
  readonly stdout: Inbound;
  readonly stderr: Inbound;
  readonly caller: CallerProgress;
  /** Called when the caller has cancelled. */
  readonly onCancelled: () => void;
};

/** The call as its caller sees it: the caller's ends of the three channels, and the outcome. */
const openOutgoingCall = ({
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

export type OutgoingStream = {
  readonly call: OutgoingCall;
  /**
   * Takes a frame of the target.
   * @throws Violation
   */
  readonly receive: (name: FrameName, payload: Buffer) => void;
  readonly lose: (reason: string) => void;
};

const nothing = Buffer.alloc(0);

/**
 * Opens the caller's end of a stream.
 * @param onEnd called when the target's last frame comes
 * @param onReleased called when RELEASE is sent
 */
export const openOutgoingStream = (
  link: LinkResources,
  stream: number,
  request: CallRequest,
  onEnd: () => void,
  onReleased: () => void,
): OutgoingStream => {
  const { outbox, scheduler, budget } = link;
  const opening = request.source === undefined ? 'open' : 'vouch';
  const caller = newCallerProgress();
  const wantControl = () => scheduler.wantControl(sender);
  const stdin = createOutbound('stdin', stream, () => scheduler.wantData(sender));
  const stdout = createInbound(budget, 'stdout', wantControl);
  const stderr = createInbound(budget, 'stderr', wantControl);
  const haveOutputsEnded = () => stdout.hasEnded() && stderr.hasEnded();
  const parts = { stdin, stdout, stderr, caller, onCancelled: wantControl };
  const { call, end, lose } = openOutgoingCall(parts);

  const sendControl = (): void => {
    if (caller.openDue) outbox.frame(opening, stream, encodeRequest(request));
    caller.openDue = false;
    if (caller.state === 'gone') {
      outbox.frame('release', stream, nothing);
      onReleased();
      return;
    }
    if (caller.cancelDue) outbox.frame('cancel', stream, nothing);
    caller.cancelDue = false;
    if (!isCallActive(caller)) return;
    sendReadiness(outbox, stream, 'stdout', stdout);
    sendReadiness(outbox, stream, 'stderr', stderr);
  };

  const canSend = () => isCallActive(caller) && stdin.hasWork();
  const sender: Sender = {
    waits: notWaiting(),
    sendControl,
    sendData: () => {
      if (canSend()) stdin.send(outbox);
      return canSend();
    },
  };

  const finish = (outcome: Outcome): void => {
    onEnd();
    end(outcome);
    wantControl();
  };

  wantControl();
  return {
    call,
    receive: (name, payload) => {
      noteFromTarget(caller, name, haveOutputsEnded);
      switch (name) {
        case 'stdout':
          stdout.receive(payload);
          return;
        case 'stderr':
          stderr.receive(payload);
          return;
        case 'credit':
        case 'stop':
          takeReadiness(name, payload, { stdin });
          return;
        case 'refuse':
          finish({ kind: 'refused', refusal: readRefusal(payload) });
          return;
        case 'exit':
          finish({ kind: 'exited', status: payload[0] ?? 0 });
          return;
      }
    },
    lose,
  };
};

/** A stream at its caller. */

import { deferred } from '../../system/deferred.ts';
import type { CallRequest, Outcome, OutgoingCall } from './call.ts';
import { brokenPipe, ChannelError } from './channel-error.ts';
import { type LinkResources, sendReadiness, takeReadiness } from './channels.ts';
import { Violation } from './close-reason.ts';
import type { FrameName } from './frame.ts';
import { createInbound } from './inbound.ts';
import { createOutbound } from './outbound.ts';
import { encodeRequest, readRefusal } from './request.ts';
import { notWaiting, type Sender } from './scheduler.ts';
import { afterTarget, type CallerState, cancelledCaller } from './stream-state.ts';

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
  let state: CallerState | 'gone' = 'opened';
  let openDue = true;
  let cancelDue = false;
  const outcome = deferred<Outcome>();

  const wantControl = () => scheduler.wantControl(sender);
  const stdin = createOutbound('stdin', stream, () => scheduler.wantData(sender));
  const stdout = createInbound(budget, 'stdout', wantControl);
  const stderr = createInbound(budget, 'stderr', wantControl);
  const isCancelled = () => state === 'cancelled' || state === 'cancelledAnswered';

  const sendControl = (): void => {
    if (openDue) {
      const name = request.source === undefined ? 'open' : 'vouch';
      outbox.frame(name, stream, encodeRequest(request));
    }
    openDue = false;
    if (state === 'gone') {
      outbox.frame('release', stream, nothing);
      onReleased();
      return;
    }
    if (cancelDue) outbox.frame('cancel', stream, nothing);
    cancelDue = false;
    if (isCancelled()) return;
    sendReadiness(outbox, stream, 'stdout', stdout);
    sendReadiness(outbox, stream, 'stderr', stderr);
  };

  const canSend = () => state !== 'gone' && !isCancelled() && stdin.hasWork();
  const sender: Sender = {
    waits: notWaiting(),
    sendControl,
    sendData: () => {
      if (canSend()) stdin.send(outbox);
      return canSend();
    },
  };

  const finish = (end: Outcome): void => {
    onEnd();
    if (!stdin.hasEnded()) stdin.fail(brokenPipe());
    if (!stdout.hasEnded()) stdout.end();
    if (!stderr.hasEnded()) stderr.end();
    outcome.resolve(end);
    wantControl();
  };

  const cancel = (): void => {
    if (state === 'gone' || isCancelled()) return;
    state = cancelledCaller[state];
    cancelDue = true;
    const error = new ChannelError('CANCELLED', 'the call was cancelled');
    stdin.fail(error);
    stdout.readable.destroy(error);
    stderr.readable.destroy(error);
    wantControl();
  };

  wantControl();
  return {
    call: {
      stdin: stdin.writable,
      stdout: stdout.readable,
      stderr: stderr.readable,
      outcome: outcome.promise,
      cancel,
    },
    receive: (name, payload) => {
      if (state === 'gone') throw new Violation('state', `${name} on a stream that has ended`);
      const before = state;
      state = afterTarget(state, name);
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
          if (before === 'answered' && !(stdout.hasEnded() && stderr.hasEnded())) {
            throw new Violation('state', 'exit before the end of the outputs');
          }
          finish({ kind: 'exited', status: payload[0] ?? 0 });
          return;
      }
    },
    lose: (reason) => {
      state = 'gone';
      const error = new ChannelError('LINK_LOST', reason);
      stdin.fail(error);
      stdout.fail(error);
      stderr.fail(error);
      outcome.resolve({ kind: 'lost', reason });
    },
  };
};

/** A stream at its target. */
import type { CallRequest, IncomingCall } from './call.ts';
import { ChannelError } from './channel-error.ts';
import { type LinkResources, sendReadiness, takeReadiness } from './channels.ts';
import type { FrameName } from './frame.ts';
import { createInbound } from './inbound.ts';
import { openIncomingCall } from './incoming-call.ts';
import { createOutbound } from './outbound.ts';
import { haveEnded, haveWork, type Outputs, takeTurn } from './outputs.ts';
import { notWaiting, type Sender } from './scheduler.ts';
import { isEndDue, newTargetProgress, noteFromCaller, takeEnd } from './target-progress.ts';

export type IncomingStream = {
  readonly call: IncomingCall;
  /**
   * Takes a frame of the caller after its OPEN or VOUCH.
   * @throws Violation
   */
  readonly receive: (name: FrameName, payload: Buffer) => void;
  readonly lose: (reason: string) => void;
};

/**
 * Opens the target's end of a stream.
 * @param onReleased called when the caller's last frame comes
 */
export const openIncomingStream = (
  link: LinkResources,
  stream: number,
  request: CallRequest,
  onReleased: () => void,
): IncomingStream => {
  const { outbox, scheduler, budget } = link;
  const target = newTargetProgress();
  const wantData = () => scheduler.wantData(sender);
  const stdin = createInbound(budget, 'stdin', () => scheduler.wantControl(sender));
  const stdout = createOutbound('stdout', stream, wantData);
  const stderr = createOutbound('stderr', stream, wantData);
  const outputs: Outputs = { stdout, stderr, last: undefined };
  const { call, abandon } = openIncomingCall(request, {
    stdin,
    stdout,
    stderr,
    target,
    onDecided: wantData,
  });

  const sendData = (): boolean => {
    const end = takeEnd(target, haveEnded(outputs));
    if (end !== undefined) {
      outbox.frame(end.name, stream, end.payload);
      return false;
    }
    const output = target.state === 'open' ? takeTurn(outputs) : undefined;
    if (output === undefined) return false;
    target.answered = true;
    output.send(outbox);
    return isEndDue(target, haveEnded(outputs)) || (target.state === 'open' && haveWork(outputs));
  };

  const sender: Sender = {
    waits: notWaiting(),
    sendControl: () => {
      if (target.state !== 'open' || isEndDue(target, haveEnded(outputs))) return;
      sendReadiness(outbox, stream, 'stdin', stdin);
    },
    sendData,
  };

  return {
    call,
    receive: (name, payload) => {
      if (!noteFromCaller(target, name)) return;
      switch (name) {
        case 'stdin':
          stdin.receive(payload);
          return;
        case 'credit':
        case 'stop':
          takeReadiness(name, payload, { stdout, stderr });
          return;
        case 'cancel':
          if (target.state === 'cancelled') {
            abandon(new ChannelError('CANCELLED', 'the caller cancelled'));
            wantData();
          }
          return;
        case 'release':
          onReleased();
          return;
      }
    },
    lose: (reason) => {
      target.state = 'gone';
      abandon(new ChannelError('LINK_LOST', reason));
    },
  };
};

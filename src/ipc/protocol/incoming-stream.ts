/** A stream at its target. */
import type { CallRequest, IncomingCall, Refusal } from './call.ts';
import { ChannelError } from './channel-error.ts';
import { type LinkResources, sendReadiness, takeReadiness } from './channels.ts';
import type { FrameName } from './frame.ts';
import { createInbound } from './inbound.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { encodeRefusal } from './request.ts';
import { notWaiting, type Sender } from './scheduler.ts';
import { afterCaller, endedTarget, type TargetState } from './stream-state.ts';

export type IncomingStream = {
  readonly call: IncomingCall;
  /**
   * Takes a frame of the caller after its OPEN or VOUCH.
   * @throws Violation
   */
  readonly receive: (name: FrameName, payload: Buffer) => void;
  readonly lose: (reason: string) => void;
};

/** The exit status of a call that does not end with its service's exit; qrexec uses the same. */
const failedStatus = 125;

type End = { readonly exit: number } | { readonly refusal: Refusal };

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
  let state: TargetState | 'gone' = 'open';
  let answered = false;
  let end: End | undefined;
  let last: Outbound | undefined;
  const controller = new AbortController();

  const wantData = () => scheduler.wantData(sender);
  const stdin = createInbound(budget, 'stdin', () => scheduler.wantControl(sender));
  const stdout = createOutbound('stdout', stream, wantData);
  const stderr = createOutbound('stderr', stream, wantData);

  const sendEnd = (): void => {
    if (end === undefined || (state !== 'open' && state !== 'cancelled')) return;
    state = endedTarget[state];
    if ('refusal' in end && !answered) outbox.frame('refuse', stream, encodeRefusal(end.refusal));
    else outbox.frame('exit', stream, Buffer.from(['exit' in end ? end.exit : failedStatus]));
  };

  /** The output that may send next: stdout and stderr take turns. */
  const nextOutput = (): Outbound | undefined => {
    const first = last === stdout ? stderr : stdout;
    const second = last === stdout ? stdout : stderr;
    if (first.hasWork()) return first;
    return second.hasWork() ? second : undefined;
  };

  const isEndDue = (): boolean =>
    end !== undefined &&
    (state === 'cancelled' ||
      (state === 'open' &&
        ((!answered && 'refusal' in end) || (stdout.hasEnded() && stderr.hasEnded()))));

  const hasWork = (): boolean => isEndDue() || (state === 'open' && nextOutput() !== undefined);

  const sendData = (): boolean => {
    if (isEndDue()) {
      sendEnd();
      return false;
    }
    last = state === 'open' ? nextOutput() : undefined;
    if (last === undefined) return false;
    answered = true;
    last.send(outbox);
    return hasWork();
  };

  const sender: Sender = {
    waits: notWaiting(),
    sendControl: () => {
      if (state !== 'open' || (end !== undefined && isEndDue())) return;
      sendReadiness(outbox, stream, 'stdin', stdin);
    },
    sendData,
  };

  const finish = (how: End): void => {
    if (end !== undefined) return;
    end = how;
    // The service reads no more input. This is not an error: it may have read all that it needs.
    stdin.readable.destroy();
    if ('refusal' in how && !answered) {
      stdout.writable.destroy();
      stderr.writable.destroy();
    } else {
      stdout.writable.end();
      stderr.writable.end();
    }
    wantData();
  };

  const abandon = (error: ChannelError): void => {
    stdin.readable.destroy(error);
    stdout.fail(error);
    stderr.fail(error);
    controller.abort(error);
  };

  return {
    call: {
      request,
      stdin: stdin.readable,
      stdout: stdout.writable,
      stderr: stderr.writable,
      cancelled: controller.signal,
      refuse: (refusal) => finish({ refusal }),
      exit: (status) => finish({ exit: status }),
    },
    receive: (name, payload) => {
      if (state === 'gone') return;
      state = afterCaller(state, name);
      switch (name) {
        case 'stdin':
          stdin.receive(payload);
          return;
        case 'credit':
        case 'stop':
          takeReadiness(name, payload, { stdout, stderr });
          return;
        case 'cancel':
          if (state === 'cancelled') {
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
      state = 'gone';
      abandon(new ChannelError('LINK_LOST', reason));
    },
  };
};

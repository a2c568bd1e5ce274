/** A stream at its target. */
import { type CallRequest, ChannelError, type IncomingCall } from './call.ts';
import { type LinkResources, sendReadiness, takeReadiness } from './channels.ts';
import type { FrameName } from './frame.ts';
import { createInbound, type Inbound } from './inbound.ts';
import { createOutbound, type Outbound } from './outbound.ts';
import { notWaiting, type Sender } from './scheduler.ts';
import {
  type CallEnd,
  decideEnd,
  isEndDue,
  newTargetProgress,
  noteFromCaller,
  type TargetProgress,
  takeEnd,
} from './target-progress.ts';

type CallParts = {
  readonly stdin: Inbound;
  readonly stdout: Outbound;
  readonly stderr: Outbound;
  readonly target: TargetProgress;
  /** Called when the service has decided how the call ends. */
  readonly onDecided: () => void;
};

/** The call as its service sees it: its ends of the three channels, and its decision on the end. */
const openIncomingCall = (
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

/** The target's two outputs. They take turns, so that neither holds up the other. */
export type Outputs = {
  readonly stdout: Outbound;
  readonly stderr: Outbound;
  /** The output that sent the last frame. */
  last: Outbound | undefined;
};

export const haveWork = ({ stdout, stderr }: Outputs): boolean =>
  stdout.hasWork() || stderr.hasWork();

export const haveEnded = ({ stdout, stderr }: Outputs): boolean =>
  stdout.hasEnded() && stderr.hasEnded();

/** Returns the output that sends the next frame; undefined if neither has work. */
export const takeTurn = (outputs: Outputs): Outbound | undefined => {
  const { stdout, stderr, last } = outputs;
  const first = last === stdout ? stderr : stdout;
  const second = first === stdout ? stderr : stdout;
  outputs.last = second.hasWork() ? second : undefined;
  if (first.hasWork()) outputs.last = first;
  return outputs.last;
};

export type IncomingStream = {
  readonly call: IncomingCall;
  /**
   * Takes a frame of the caller after its OPEN or VOUCH.
   * @throws Violation
   */
  readonly receive: (name: FrameName, payload: Buffer) => void;
  readonly lose: (reason: string) => void;
  readonly isRefused: () => boolean;
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
    isRefused: () => target.end?.kind === 'refusal',
  };
};

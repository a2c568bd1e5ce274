/** A call, for both of its ends. */
import type { Readable, Writable } from 'node:stream';

export type CallRequest = {
  /**
   * The VM to call. Empty: the VM at the other end. The name of a third VM: a relay is asked to pass the call
   * on.
   */
  readonly target: string;
  readonly service: string;
  /** The text after the "+"; empty if there is none. */
  readonly argument: string;
  /** The VM on whose behalf the opener makes the call; undefined for its own call. */
  readonly source?: string;
};

/** Parses `sign+key1`, or `sign` alone, as Qubes does: the argument follows the first "+". */
export const parseService = (text: string): Pick<CallRequest, 'service' | 'argument'> => {
  const [service = '', ...rest] = text.split('+');
  return { service, argument: rest.join('+') };
};

/** The exit status of a call that fails otherwise than by a refusal or its service; qrexec uses the same. */
export const failedStatus = 125;

/** A code's number on the wire is its index in this list plus 1. */
export const refusalCodes = ['denied', 'not-found', 'busy', 'failed', 'unreachable'] as const;

export type RefusalCode = (typeof refusalCodes)[number];

export type Refusal = {
  readonly code: RefusalCode;
  /** For the caller: printable ASCII, cut at 200 bytes. */
  readonly text: string;
};

export type Outcome =
  /** 0 to 255; 128 + n for a signal. */
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The link closed before the call's end was known: the service may have run or not. */
  | { readonly kind: 'lost'; readonly reason: string };

/** A call at its target. Its streams have an error listener, so an error never ends the process. */
export type IncomingCall = {
  readonly request: CallRequest;
  /** Destroyed with a ChannelError when the caller cancels or the link is lost. */
  readonly stdin: Readable;
  /** Fails with EPIPE once the caller has stopped reading. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  /**
   * Refuses the call instead of any output. If output was already sent, the call ends with exit status 125.
   */
  refuse(refusal: Refusal): void;
  /** Ends the call, after the data that stdout and stderr still hold. Ends both if they are open. */
  exit(status: number): void;
  /** Aborted when the caller cancels or the link is lost. After a cancel, exit() must still be called. */
  readonly cancelled: AbortSignal;
};

/** A call at its caller. Its streams have an error listener, so an error never ends the process. */
export type OutgoingCall = {
  /** Fails with EPIPE once the target has stopped reading. */
  readonly stdin: Writable;
  /** Destroyed with a ChannelError when the link is lost, so that a partial output never looks complete. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Never rejects. It may resolve before the last output is read. */
  readonly outcome: Promise<Outcome>;
  /** Cancels the call and destroys its streams. The target still decides the outcome. */
  cancel(): void;
};

/** The reason why a call's channel was destroyed. */
export class ChannelError extends Error {
  /**
   * EPIPE: the other end stopped reading. CANCELLED: the caller cancelled. LINK_LOST: the data may be
   * incomplete.
   */
  readonly code: 'EPIPE' | 'CANCELLED' | 'LINK_LOST';
  constructor(code: ChannelError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export const brokenPipe = (): ChannelError =>
  new ChannelError('EPIPE', 'the other end has stopped reading');

/** One call, as either end sees it. */
import type { Readable, Writable } from 'node:stream';

export type CallRequest = {
  /** The VM to be called; empty is the one at the other end, and any other is for a relay to pass on. */
  readonly target: string;
  readonly service: string;
  /** What follows the "+"; empty if there is none. */
  readonly argument: string;
  /** On whose behalf, if the one who opens the call says that it is another VM's. */
  readonly source?: string;
};

/** The code's number on the wire is its place in this list, counted from 1. */
export const refusalCodes = ['denied', 'not-found', 'busy', 'failed', 'unreachable'] as const;

export type RefusalCode = (typeof refusalCodes)[number];

export type Refusal = {
  readonly code: RefusalCode;
  /** For the caller; printable ASCII, cut at 200 bytes. */
  readonly text: string;
};

export type Outcome =
  /** 0 to 255; 128 + n for a signal. */
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The link closed before the end was known: the service may have run or not. */
  | { readonly kind: 'lost'; readonly reason: string };

/** A call at its target. None of its streams ever emits an error that nobody hears. */
export type IncomingCall = {
  readonly request: CallRequest;
  /** Destroyed with a ChannelError when the caller cancels or the link is lost. */
  readonly stdin: Readable;
  /** Fails with EPIPE once the caller reads no more. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Instead of any output: once some was sent, it becomes exit status 125. */
  refuse(refusal: Refusal): void;
  /** The call's end; sent after what stdout and stderr still hold. Ends both if need be. */
  exit(status: number): void;
  /** The caller cancelled, or the link is lost: nobody listens any more. After a cancel, exit() is still due. */
  readonly cancelled: AbortSignal;
};

/** A call at its caller. None of its streams ever emits an error that nobody hears. */
export type OutgoingCall = {
  /** Fails with EPIPE once the target reads no more. */
  readonly stdin: Writable;
  /** Destroyed with a ChannelError when the link is lost, so that a torn output never looks whole. */
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Never rejects. May be known before the last output is read. */
  readonly outcome: Promise<Outcome>;
  /** Destroys the streams; the outcome is still what the target says. */
  cancel(): void;
};

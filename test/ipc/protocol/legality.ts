/** Each kind of frame, and its expected verdict: `legal`, or the code with which the link is closed. */
import type { FrameName } from '../../../src/ipc/protocol/frame.ts';
import { bytes, creditOf, openPayload, type RawPeer, vouchPayload } from './raw-peer.ts';

/** The stream that the tests use. */
export const stream = 1;

/** A frame of each kind, as name and payload. */
export const variants = {
  hello: ['hello', Buffer.from('VFWI\x01\0\x01\0\0')],
  ping: ['ping', Buffer.alloc(8)],
  pong: ['pong', Buffer.alloc(8)],
  goodbye: ['goodbye', bytes(1)],
  open: ['open', openPayload],
  vouch: ['vouch', vouchPayload],
  refuse: ['refuse', bytes(1)],
  stdin: ['stdin', bytes(7)],
  stdinEnd: ['stdin', bytes()],
  stdout: ['stdout', bytes(7)],
  stdoutEnd: ['stdout', bytes()],
  stderr: ['stderr', bytes(7)],
  stderrEnd: ['stderr', bytes()],
  creditStdin: ['credit', creditOf(0, 1)],
  creditStdout: ['credit', creditOf(1, 1)],
  creditStderr: ['credit', creditOf(2, 1)],
  stopStdin: ['stop', bytes(0)],
  stopStdout: ['stop', bytes(1)],
  stopStderr: ['stop', bytes(2)],
  cancel: ['cancel', bytes()],
  release: ['release', bytes()],
  exit: ['exit', bytes(0)],
} as const satisfies Record<string, readonly [FrameName, Buffer]>;

/** A kind of frame, by its key in `variants`. */
export type Variant = keyof typeof variants;

export const names = Object.keys(variants) as Variant[];

/** Sends the frames in order. */
export const say = (peer: RawPeer, ...said: Variant[]): void => {
  for (const name of said) peer.send(variants[name][0], stream, variants[name][1]);
};

/** The frames that begin a call. */
export const openings: readonly Variant[] = ['open', 'vouch'];

/** The frames that belong to the link, on stream 0. */
export const linkFrames: readonly Variant[] = ['hello', 'ping', 'pong', 'goodbye'];

/** The verdicts on all frames in one state of a stream. */
export type Expected = {
  /** The legal frames. */
  readonly legal: readonly Variant[];
  /** The frames that are illegal for their direction; all others are illegal for the state. */
  readonly direction: readonly Variant[];
};

/** The verdict on a frame that arrives on a stream: `legal`, or the code of the close. */
export const expected = (variant: Variant, { legal, direction }: Expected): string => {
  if (legal.includes(variant)) return 'legal';
  if (linkFrames.includes(variant)) return 'stream-id';
  return direction.includes(variant) ? 'direction' : 'state';
};

export const outputs = ['stdout', 'stdoutEnd', 'stderr', 'stderrEnd'] as const;
export const stdin = ['stdin', 'stdinEnd'] as const;
export const aboutStdout = ['creditStdout', 'stopStdout'] as const;
export const aboutStderr = ['creditStderr', 'stopStderr'] as const;
export const aboutStdin = ['creditStdin', 'stopStdin'] as const;

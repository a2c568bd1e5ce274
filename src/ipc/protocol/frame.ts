/** Frames on the wire: the eight-byte header, and an incremental decoder that checks all its fields. */
import { Violation } from './close-reason.ts';
import { headerBytes, maxArgument, maxName, maxPayload, maxText } from './limits.ts';

type Shape = {
  readonly type: number;
  /** Whether the frame belongs to the link itself, on stream 0. */
  readonly link: boolean;
  readonly min: number;
  readonly max: number;
};

/** All frames, with their payload's least and greatest length in bytes. */
export const frames = {
  hello: { type: 1, link: true, min: 9, max: 9 + maxName },
  ping: { type: 2, link: true, min: 8, max: 8 },
  pong: { type: 3, link: true, min: 8, max: 8 },
  goodbye: { type: 4, link: true, min: 1, max: 1 + maxText },
  open: { type: 16, link: false, min: 4, max: 3 + maxName + maxName + maxArgument },
  refuse: { type: 17, link: false, min: 1, max: 1 + maxText },
  stdin: { type: 18, link: false, min: 0, max: maxPayload },
  stdout: { type: 19, link: false, min: 0, max: maxPayload },
  stderr: { type: 20, link: false, min: 0, max: maxPayload },
  credit: { type: 21, link: false, min: 5, max: 5 },
  stop: { type: 22, link: false, min: 1, max: 1 },
  cancel: { type: 23, link: false, min: 0, max: 0 },
  release: { type: 24, link: false, min: 0, max: 0 },
  exit: { type: 25, link: false, min: 1, max: 1 },
  vouch: { type: 26, link: false, min: 5, max: 3 + maxName + maxName + maxArgument },
} as const satisfies Record<string, Shape>;

export type FrameName = keyof typeof frames;

const named: readonly (FrameName | undefined)[] = Array.from({ length: 256 }, (_, type) =>
  (Object.keys(frames) as FrameName[]).find((name) => frames[name].type === type),
);

/** Writes a frame's header into a buffer at the offset `at`. */
export const writeHeader = (
  into: Buffer,
  at: number,
  name: FrameName,
  stream: number,
  length: number,
): void => {
  into[at] = frames[name].type;
  into[at + 1] = 0;
  into.writeUInt16LE(length, at + 2);
  into.writeUInt32LE(stream, at + 4);
};

type Header = { name: FrameName; length: number; stream: number };

/**
 * Reads into an existing object, because each frame needs it.
 * @throws Violation
 */
const readHeader = (header: Header, from: Buffer, at: number): void => {
  const name = named[from[at] ?? 0];
  if (name === undefined) throw new Violation('type', `no frame has type ${from[at]}`);
  if (from[at + 1] !== 0) throw new Violation('flags', `${name} with flags ${from[at + 1]}`);
  const { link, min, max } = frames[name];
  header.name = name;
  header.length = from.readUInt16LE(at + 2);
  if (header.length < min || header.length > max) {
    throw new Violation('length', `${name} of ${header.length} bytes`);
  }
  header.stream = from.readUInt32LE(at + 4);
  if ((header.stream === 0) !== link) {
    throw new Violation('stream-id', `${name} on stream ${header.stream}`);
  }
};

const nothing = Buffer.alloc(0);

/**
 * Returns a decoder for one direction of a link. It takes each chunk, passes on whole frames, and returns
 * their number. A payload is a part of the chunk, or a copy if it came in several chunks. The decoder throws
 * a Violation, and must not be used after that.
 */
export const createDecoder = (
  onFrame: (name: FrameName, stream: number, payload: Buffer) => void,
): ((chunk: Buffer) => number) => {
  const header: Header = { name: 'hello', length: 0, stream: 0 };
  const split = Buffer.alloc(headerBytes);
  let splitBytes = 0;
  let partial: Buffer | undefined;
  let filled = 0;

  /** Reads the header and returns the payload's offset; undefined if the chunk ends within the header. */
  const takeHeader = (chunk: Buffer, at: number): number | undefined => {
    if (splitBytes === 0 && chunk.length - at >= headerBytes) {
      readHeader(header, chunk, at);
      return at + headerBytes;
    }
    const taken = chunk.copy(split, splitBytes, at);
    splitBytes += taken;
    if (splitBytes < headerBytes) return undefined;
    splitBytes = 0;
    readHeader(header, split, 0);
    return at + taken;
  };

  /** Returns the whole payload at `at`. If the chunk ends before it, copies the rest to `partial` instead. */
  const takePayload = (chunk: Buffer, at: number): Buffer | undefined => {
    if (partial === undefined) {
      if (header.length === 0) return nothing;
      if (chunk.length - at >= header.length) return chunk.subarray(at, at + header.length);
      partial = Buffer.allocUnsafeSlow(header.length);
      filled = 0;
    }
    filled += chunk.copy(partial, filled, at);
    if (filled < partial.length) return undefined;
    const whole = partial;
    partial = undefined;
    return whole;
  };

  return (chunk) => {
    let at = 0;
    let count = 0;
    while (at < chunk.length) {
      const begun = partial === undefined ? 0 : filled;
      const start = partial === undefined ? takeHeader(chunk, at) : at;
      if (start === undefined) break;
      const payload = takePayload(chunk, start);
      if (payload === undefined) break;
      at = start + payload.length - begun;
      count += 1;
      onFrame(header.name, header.stream, payload);
    }
    return count;
  };
};

/** The other end of a link, which can send any frame at any time. */
import type { Duplex } from 'node:stream';
import { afterAll } from 'vitest';
import type { IncomingCall } from '../../../src/ipc/protocol/call.ts';
import type { CloseReason } from '../../../src/ipc/protocol/close-reason.ts';
import { createDecoder, type FrameName, writeHeader } from '../../../src/ipc/protocol/frame.ts';
import { encodeHello, readGoodbye } from '../../../src/ipc/protocol/hello.ts';
import { type Mux, openMux } from '../../../src/ipc/protocol/mux.ts';
import { encodeRequest } from '../../../src/ipc/protocol/request.ts';
import { untilFound } from '../../support/until.ts';
import { duplexPair } from './duplex-pair.ts';

export const bytes = (...values: number[]): Buffer => Buffer.from(values);

/** Encodes a frame, whether it is legal or not. */
export const frameBytes = (name: FrameName, stream: number, payload = bytes()): Buffer => {
  const header = Buffer.alloc(8);
  writeHeader(header, 0, name, stream, payload.length);
  return Buffer.concat([header, payload]);
};

/** The payload of a credit frame: `amount` bytes for channel 0 (stdin), 1 (stdout) or 2 (stderr). */
export const creditOf = (channel: number, amount: number): Buffer => {
  const payload = bytes(channel, 0, 0, 0, 0);
  payload.writeUInt32LE(amount, 1);
  return payload;
};

export const echoRequest = { target: '', service: 'echo', argument: '' };

export const openPayload = encodeRequest(echoRequest);

export const vouchPayload = encodeRequest({ ...echoRequest, source: 'workload-vm' });

type Seen = { readonly name: FrameName; readonly stream: number; readonly payload: Buffer };

export type RawPeer = {
  readonly transport: Duplex;
  readonly seen: readonly Seen[];
  readonly send: (name: FrameName, stream: number, payload?: Buffer) => void;
  /** Resolves with the first frame called `name`, which may have arrived already. */
  readonly frame: (name: FrameName) => Promise<Seen>;
  /** `legal` if the link survived all frames so far, or the code with which it was closed. */
  readonly verdict: () => Promise<string>;
};

const rawPeer = (transport: Duplex): RawPeer => {
  const seen: Seen[] = [];
  const decode = createDecoder((name, stream, payload) => {
    seen.push({ name, stream, payload: Buffer.from(payload) });
  });
  transport.on('data', decode).on('error', () => {});
  const send: RawPeer['send'] = (name, stream, payload) => {
    transport.write(frameBytes(name, stream, payload));
  };
  const find = (name: FrameName) => seen.find((frame) => frame.name === name);
  let verdicts = 0;
  return {
    transport,
    seen,
    send,
    frame: (name) => untilFound(`a ${name} frame`, () => find(name)),
    verdict: async () => {
      verdicts += 1;
      const question = Buffer.from(`verdict${verdicts}`);
      const isAnswer = ({ name, payload }: Seen) => name === 'pong' && payload.equals(question);
      send('ping', 0, question);
      const last = await untilFound('a verdict', () => find('goodbye') ?? seen.find(isAnswer));
      return last.name === 'pong' ? 'legal' : readGoodbye(last.payload).code;
    },
  };
};

export const done: CloseReason = { code: 'shutdown', text: 'the test is over' };

const opened: Mux[] = [];

// The muxes close after all tests, because concurrent tests would close each other's.
afterAll(() => {
  for (const mux of opened) mux.close(done);
});

/**
 * A mux in `role` with a raw peer, which answers its hello if `greet` is set, and the mux's incoming calls.
 */
export const muxAndPeer = async (role: 'server' | 'client', greet = true) => {
  const [ours, theirs] = duplexPair();
  const calls: IncomingCall[] = [];
  const mux: Mux = openMux(ours, { role, name: 'mux', onCall: (call) => calls.push(call) });
  opened.push(mux);
  const peer = rawPeer(theirs);
  await peer.frame('hello');
  if (greet) {
    peer.send('hello', 0, encodeHello('raw'));
    await mux.ready;
  }
  const call = () => untilFound('a call', () => calls.at(-1));
  return { mux, transport: ours, peer, calls, call };
};

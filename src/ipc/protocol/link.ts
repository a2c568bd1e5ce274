/** A link's own life: its handshake, its heartbeat and its end. The streams see only their frames. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../system/clock.ts';
import { deferred } from '../../system/deferred.ts';
import type { Closed, CloseReason } from './close-reason.ts';
import type { FrameName } from './frame.ts';
import { startFrameReader } from './frame-reader.ts';
import { createHandshake } from './handshake.ts';
import { startHeartbeat } from './heartbeat.ts';
import { encodeGoodbye, encodeHello, readGoodbye } from './hello.ts';
import { goodbyeMs } from './limits.ts';
import type { Outbox } from './outbox.ts';
import type { Scheduler } from './scheduler.ts';
import type { Streams } from './streams.ts';

/**
 * Resolves when the transport is closed, which takes at most `goodbyeMs`.
 * @param gently lets the written data go out first
 */
export const hangUp = (transport: Duplex, gently: boolean, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      resolve();
    };
    const timer = clock.after(goodbyeMs, () => {
      transport.destroy();
      done();
    });
    if (transport.closed) {
      done();
      return;
    }
    transport.once('close', done);
    if (!gently) {
      transport.destroy();
      return;
    }
    transport.end(() => transport.destroy());
    // Incoming data is dropped: otherwise a peer that writes before it reads would never see the GOODBYE.
    transport.resume();
  });

export type Link = {
  /** Sends GOODBYE with the reason, then closes the transport. */
  readonly close: (reason: CloseReason) => void;
  /**
   * Resolves when both ends have sent HELLO. Rejects if the link closes before; the rejection may stay
   * unhandled.
   */
  readonly ready: Promise<void>;
  /** Resolves when the link is over and all calls are settled. Never rejects. */
  readonly over: Promise<Closed>;
  /** Resolves when the transport is closed too, at most one second after `over`. Never rejects. */
  readonly closed: Promise<Closed>;
  /** The protocol version that both ends use; 0 until the link is ready. */
  readonly version: () => number;
  /** All bytes from the peer, including headers. */
  readonly bytesIn: () => number;
  /** The last ping's round trip. */
  readonly rttMs: () => number | undefined;
};

type LinkParts = {
  /** Whether the peer counts as hung if it is silent for 6 s. */
  readonly isSilenceFatal: boolean;
  readonly outbox: Outbox;
  readonly scheduler: Scheduler;
  readonly streams: Pick<Streams, 'receive' | 'lose'>;
  readonly clock: Clock;
};

/** Calls back when the transport ends without GOODBYE, or fails. It may call back more than once. */
const watchTransport = (
  transport: Duplex,
  onEnd: (code: 'ended' | 'failed', text: string) => void,
): void => {
  transport.on('end', () => onEnd('ended', 'the peer ended the transport without GOODBYE'));
  transport.on('close', () => onEnd('ended', 'the transport closed'));
  transport.on('error', ({ message }) => onEnd('failed', message));
};

/**
 * Sends HELLO and takes over the transport's reading side and its end.
 * @param name this side's name in HELLO
 */
export const openLink = (
  transport: Duplex,
  name: string,
  { isSilenceFatal, outbox, scheduler, streams, clock }: LinkParts,
): Link => {
  const handshake = createHandshake();
  const over = deferred<Closed>();
  const closed = deferred<Closed>();
  let isOver = false;

  const finish = (how: Closed): void => {
    if (isOver) return;
    isOver = true;
    scheduler.stop();
    heartbeat.stop();
    reader.stop();
    const reason = `${how.code}: ${how.text}`;
    streams.lose(reason);
    handshake.fail(new Error(reason));
    if (how.kind === 'us') {
      outbox.frame('goodbye', 0, encodeGoodbye(how));
      outbox.flush();
    }
    over.resolve(how);
    closed.resolve(hangUp(transport, how.kind === 'us', clock).then(() => how));
  };
  const close = ({ code, text }: CloseReason): void => finish({ kind: 'us', code, text });
  const heartbeat = startHeartbeat(outbox, scheduler, clock, () => {
    if (isSilenceFatal) close({ code: 'hung', text: 'nothing came for 6 s' });
  });

  const linkFrames: Partial<Record<FrameName, (payload: Buffer) => void>> = {
    hello: (payload) => {
      handshake.take(payload);
      scheduler.start();
    },
    ping: heartbeat.ping,
    pong: heartbeat.pong,
    goodbye: (payload) => finish(readGoodbye(payload)),
  };
  const reader = startFrameReader(transport, clock, {
    onData: heartbeat.heard,
    onFrame: (frame, stream, payload) => {
      handshake.check(frame);
      if (stream !== 0) return streams.receive(frame, stream, payload);
      linkFrames[frame]?.(payload);
      return true;
    },
    onViolation: close,
  });
  watchTransport(transport, (code, text) => finish({ kind: 'transport', code, text }));
  outbox.frame('hello', 0, encodeHello(name));
  outbox.flush();

  return {
    close,
    ready: handshake.ready,
    over: over.promise,
    closed: closed.promise,
    version: handshake.version,
    bytesIn: reader.bytes,
    rttMs: heartbeat.rttMs,
  };
};

/** Multiplexes calls in both directions over one link. */
import type { Duplex } from 'node:stream';
import { deferred } from '../../system/deferred.ts';
import type { CallRequest, IncomingCall, Outcome, OutgoingCall } from './call.ts';
import { type Closed, type CloseReason, Violation } from './close-reason.ts';
import { createDecoder, type FrameName } from './frame.ts';
import { createFrameRate } from './frame-rate.ts';
import { hangUp } from './hang-up.ts';
import { startHeartbeat } from './heartbeat.ts';
import { encodeGoodbye, encodeHello, readGoodbye, readHello } from './hello.ts';
import { vouchingVersion } from './limits.ts';
import { createOutbox } from './outbox.ts';
import { createScheduler } from './scheduler.ts';
import { settledCall } from './settled-call.ts';
import { openStreams } from './streams.ts';
import { fullBudget } from './window.ts';

export type Mux = {
  /**
   * Starts a call, even before the link is ready. The call is refused as `busy` if 1024 calls are open
   * already. A call with a source is refused as `unreachable` if the link is not ready, or if the peer's
   * version has no VOUCH.
   * @throws TypeError on an invalid request
   */
  readonly open: (request: CallRequest) => OutgoingCall;
  /** Sends GOODBYE with the reason, then closes the link. */
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
  readonly statistics: () => MuxStatistics;
};

type MuxStatistics = {
  /** The open calls in both directions. */
  readonly streams: number;
  /** All bytes, including headers. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** The last ping's round trip. */
  readonly rttMs: number | undefined;
};

export type MuxOptions = {
  /** The two ends of a link must have different roles: the role decides which end has the even stream ids. */
  readonly role: 'server' | 'client';
  /** This side's name in HELLO: printable ASCII, cut at 63 bytes. */
  readonly name: string;
  readonly onCall: (call: IncomingCall) => void;
};

const cannotVouch: Outcome = {
  kind: 'refused',
  refusal: {
    code: 'unreachable',
    text: 'its agent is too old to accept relayed calls',
  },
};

/** Takes over the transport: other code must not read, write or close it. */
export const openMux = (transport: Duplex, { role, name, onCall }: MuxOptions): Mux => {
  const outbox = createOutbox(transport, () => scheduler.run());
  const scheduler = createScheduler(outbox);
  const streams = openStreams({ outbox, scheduler, budget: fullBudget() }, role, onCall);
  const frameRate = createFrameRate();
  const ready = deferred<void>();
  const ended = deferred<Closed>();
  const closed = deferred<Closed>();
  ready.promise.catch(() => {});
  let version = 0;
  let bytesIn = 0;
  let isOver = false;
  let resume: NodeJS.Timeout | undefined;

  const finish = (how: Closed): void => {
    if (isOver) return;
    isOver = true;
    scheduler.stop();
    heartbeat.stop();
    clearTimeout(resume);
    const reason = `${how.code}: ${how.text}`;
    streams.lose(reason);
    ready.reject(new Error(reason));
    if (how.kind === 'us') {
      outbox.frame('goodbye', 0, encodeGoodbye(how));
      outbox.flush();
    }
    ended.resolve(how);
    closed.resolve(hangUp(transport, how.kind === 'us').then(() => how));
  };
  const close = ({ code, text }: CloseReason): void => finish({ kind: 'us', code, text });
  const heartbeat = startHeartbeat(outbox, scheduler, () =>
    close({ code: 'hung', text: 'nothing came for 6 s' }),
  );

  const takeLinkFrame = (frame: FrameName, payload: Buffer): void => {
    switch (frame) {
      case 'hello':
        if (version > 0) throw new Violation('state', 'a second hello');
        version = readHello(payload);
        scheduler.start();
        ready.resolve();
        return;
      case 'ping':
        heartbeat.ping(payload);
        return;
      case 'pong':
        heartbeat.pong(payload);
        return;
      case 'goodbye':
        finish(readGoodbye(payload));
        return;
    }
  };

  const decode = createDecoder((frame, stream, payload) => {
    if (isOver) return;
    if (version === 0 && frame !== 'hello') {
      throw new Violation('hello', `${frame} before the hello`);
    }
    if (frame === 'vouch' && version < vouchingVersion) {
      throw new Violation('type', `vouch in version ${version}`);
    }
    if (stream === 0) takeLinkFrame(frame, payload);
    else streams.receive(frame, stream, payload);
  });

  const takeChunk = (chunk: Buffer): void => {
    if (isOver) return;
    heartbeat.heard();
    bytesIn += chunk.length;
    try {
      const pauseMs = frameRate(decode(chunk));
      if (pauseMs === 0 || isOver) return;
      transport.pause();
      resume = setTimeout(() => transport.resume(), pauseMs);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      close({ code: error.code, text: error.message });
    }
  };

  transport.on('data', takeChunk);
  transport.on('end', () =>
    finish({
      kind: 'transport',
      code: 'ended',
      text: 'the peer ended the transport without GOODBYE',
    }),
  );
  transport.on('close', () =>
    finish({ kind: 'transport', code: 'ended', text: 'the transport closed' }),
  );
  transport.on('error', ({ message }) =>
    finish({ kind: 'transport', code: 'failed', text: message }),
  );
  outbox.frame('hello', 0, encodeHello(name));
  outbox.flush();

  return {
    open: (request) =>
      request.source !== undefined && version < vouchingVersion
        ? settledCall(cannotVouch)
        : streams.open(request, close),
    close,
    ready: ready.promise,
    over: ended.promise,
    closed: closed.promise,
    version: () => version,
    statistics: () => ({
      streams: streams.count(),
      bytesIn,
      bytesOut: outbox.sent(),
      rttMs: heartbeat.rttMs(),
    }),
  };
};

/** Many calls, in both directions, over one link. */
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
   * Starts a call; may be used before the link is ready, but for one with a source. If 1024 calls are open already, it
   * is refused as busy; if the peer's version knows of no sources, one with a source as unreachable.
   * Throws a TypeError on a request that no target would take.
   */
  readonly open: (request: CallRequest) => OutgoingCall;
  /** Says goodbye with the reason, then closes. */
  readonly close: (reason: CloseReason) => void;
  /** Both hellos have been exchanged. Rejects if the link closes before; nobody needs to listen. */
  readonly ready: Promise<void>;
  /** Never rejects. No more calls can be made; all there were are settled. */
  readonly over: Promise<Closed>;
  /** Never rejects. The transport is closed, too: that takes a second longer at most. */
  readonly closed: Promise<Closed>;
  /** Of the protocol, as both ends speak it; 0 until the link is ready. */
  readonly version: () => number;
  readonly statistics: () => MuxStatistics;
};

type MuxStatistics = {
  /** Calls in both directions. */
  readonly streams: number;
  /** With headers. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Of the last ping. */
  readonly rttMs: number | undefined;
};

export type MuxOptions = {
  /** Both ends of a link must have different ones: they decide whose streams are even. */
  readonly role: 'server' | 'client';
  /** What this side calls itself; printable ASCII, cut at 63 bytes. */
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

/** Takes over the transport: nobody else may read, write or close it. */
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
    finish({ kind: 'transport', code: 'ended', text: 'the peer is gone without a goodbye' }),
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

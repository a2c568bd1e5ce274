/** Multiplexes calls in both directions over one link. */
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../system/clock.ts';
import type { CallRequest, IncomingCall, Outcome, OutgoingCall } from './call.ts';
import { vouchingVersion } from './limits.ts';
import { type Link, openLink } from './link.ts';
import { createOutbox } from './outbox.ts';
import { createScheduler } from './scheduler.ts';
import { settledCall } from './settled-call.ts';
import { openStreams } from './streams.ts';
import { fullBudget } from './window.ts';

export type Mux = Omit<Link, 'bytesIn' | 'rttMs'> & {
  /**
   * Starts a call, even before the link is ready. The call is refused as `busy` if 1024 calls are open
   * already. A call with a source is refused as `unreachable` if the link is not ready, or if the peer's
   * version has no VOUCH.
   * @throws TypeError on an invalid request
   */
  readonly open: (request: CallRequest) => OutgoingCall;
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

type MuxOptions = {
  /** The two ends of a link must have different roles: the role decides which end has the even stream ids. */
  readonly role: 'server' | 'client';
  /** This side's name in HELLO: printable ASCII, cut at 63 bytes. */
  readonly name: string;
  readonly onCall: (call: IncomingCall) => void;
  /** The clock of all timers of the link: this process's clock, except in tests. */
  readonly clock?: Clock;
};

const cannotVouch: Outcome = {
  kind: 'refused',
  refusal: {
    code: 'unreachable',
    text: 'its agent is too old to accept relayed calls',
  },
};

/** Takes over the transport: other code must not read, write or close it. */
export const openMux = (
  transport: Duplex,
  { role, name, onCall, clock = systemClock }: MuxOptions,
): Mux => {
  const outbox = createOutbox(transport, () => scheduler.run());
  const scheduler = createScheduler(outbox);
  const streams = openStreams({ outbox, scheduler, budget: fullBudget() }, role, onCall);
  const link = openLink(transport, name, { outbox, scheduler, streams, clock });
  return {
    open: (request) =>
      request.source !== undefined && link.version() < vouchingVersion
        ? settledCall(cannotVouch)
        : streams.open(request, link.close),
    close: link.close,
    ready: link.ready,
    over: link.over,
    closed: link.closed,
    version: link.version,
    statistics: () => ({
      streams: streams.count(),
      bytesIn: link.bytesIn(),
      bytesOut: outbox.sent(),
      rttMs: link.rttMs(),
    }),
  };
};

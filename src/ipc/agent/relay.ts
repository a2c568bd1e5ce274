/** The relay: it passes calls on between VMs that have a link with this VM, but not with each other. */
import type { Writable } from 'node:stream';
import type { Logger } from 'pino';
import { type Clock, sleep, systemClock } from '../../system/clock.ts';
import { within } from '../../system/deadline.ts';
import type { VmName } from '../config/vm-name.ts';
import type { IncomingCall } from '../protocol/call.ts';
import type { Mux } from '../protocol/mux.ts';
import type { LinkSearch } from './link-search.ts';
import type { RateLimitLog } from './log-rate-limit.ts';
import { openRelayLoad } from './relay-load.ts';
import { spliceCalls } from './splice-calls.ts';

type RelayPorts = Pick<LinkSearch, 'linkWith' | 'linkNow'> & {
  readonly log: Logger;
  readonly rateLimitLog: RateLimitLog;
  /** This process's clock, except in tests. */
  readonly clock?: Clock;
};

export type Relay = {
  /** Passes a call on. The call's link proves `from`. Never rejects, and every call gets an answer. */
  readonly forward: (from: VmName, to: VmName, call: IncomingCall) => Promise<void>;
  /** The number of relayed calls that have not ended. */
  readonly underWay: () => number;
  /** Refuses new calls, and resolves when the current ones have had time to end. */
  readonly close: () => Promise<void>;
};

/**
 * The time to refuse calls that callers sent before they knew of the stop: a refused call can take another
 * path.
 */
const lingerMs = 250;

/** The time for current calls to end, within the 10 s that a service manager waits. */
const graceMs = 3_000;

/** Resolves when the whole output has gone out over the link, or its reader is gone. */
const sent = (output: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (output.closed) resolve();
    else output.once('close', () => resolve());
  });

export const openRelay = (ports: RelayPorts): Relay => {
  const { linkWith, linkNow, log, rateLimitLog, clock = systemClock } = ports;
  /**
   * A call counts until the target has ended it and the source has received all output. So a cancelled call
   * still counts, and so does a call whose output waits for its reader.
   */
  const load = openRelayLoad();
  /**
   * One controller per call that waits for a link: `AbortSignal.any` on a shared signal would leak memory.
   */
  const waiting = new Set<AbortController>();
  let isClosing = false;

  const waitForLink = async (to: VmName, call: IncomingCall): Promise<Mux> => {
    const enough = new AbortController();
    waiting.add(enough);
    try {
      return await linkWith(to, AbortSignal.any([call.cancelled, enough.signal]));
    } finally {
      waiting.delete(enough);
    }
  };

  const forward = async (from: VmName, to: VmName, call: IncomingCall): Promise<void> => {
    const { service, argument } = call.request;
    if (isClosing) {
      return call.refuse({ code: 'unreachable', text: 'the relay stops' });
    }
    if (!load.hasRoom(from, to)) {
      return call.refuse({ code: 'busy', text: `too many calls to ${to} over the relay` });
    }
    rateLimitLog(from, (suppressed) =>
      log.info({ from, to, service, argument, suppressed }, 'a call is relayed'),
    );
    load.add(from, to);
    let link = linkNow(to);
    try {
      link ??= await waitForLink(to, call);
    } catch (error) {
      load.remove(from, to);
      return call.refuse({ code: 'unreachable', text: (error as Error).message });
    }
    const remote = link.open({ target: '', source: from, service, argument });
    await Promise.all([
      spliceCalls(call, remote),
      remote.outcome,
      sent(call.stdout),
      sent(call.stderr),
    ]);
    load.remove(from, to);
  };

  return {
    forward,
    underWay: load.total,
    close: async () => {
      isClosing = true;
      for (const each of waiting) each.abort();
      const linger = sleep(clock, lingerMs);
      await Promise.all([linger, within(clock, graceMs, load.idle(), () => undefined)]);
    },
  };
};

/** The relay: it passes calls on between VMs that have a link with this VM, but not with each other. */
import type { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { BehaviorSubject, filter, firstValueFrom } from 'rxjs';
import type { VmName } from '../config/vm-name.ts';
import type { IncomingCall } from '../protocol/call.ts';
import { maxStreams } from '../protocol/limits.ts';
import type { Mux } from '../protocol/mux.ts';
import type { RateLimitLog } from './log-rate-limit.ts';
import { spliceCalls } from './splice-calls.ts';

export type RelayPorts = {
  /**
   * Resolves with the link to a peer. Rejects with an Error that says why there is none. Never adds a peer.
   */
  readonly linkWith: (name: VmName, signal: AbortSignal) => Promise<Mux>;
  readonly linkNow: (name: VmName) => Mux | undefined;
  readonly log: Logger;
  readonly rateLimitLog: RateLimitLog;
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

/**
 * A source may use a quarter of the streams that other sources leave free on the link with a target. A single
 * source can have 256 calls. Even if a dozen sources use all that they may, the next source still gets some
 * streams.
 */
const share = 4;

const fits = (own: number, all: number): boolean => own < (maxStreams - (all - own)) / share;

/** Resolves when the whole output has gone out over the link, or its reader is gone. */
const sent = (output: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (output.closed) resolve();
    else output.once('close', () => resolve());
  });

export const openRelay = ({ linkWith, linkNow, log, rateLimitLog }: RelayPorts): Relay => {
  /**
   * The number of calls by target and source. A call counts until the target has ended it and the source has
   * received all output. So a cancelled call still counts, and so does a call whose output waits for its
   * reader.
   */
  const calls = new Map<VmName, Map<VmName, number>>();
  const total = new BehaviorSubject(0);
  /**
   * One controller per call that waits for a link: `AbortSignal.any` on a shared signal would leak memory.
   */
  const waiting = new Set<AbortController>();
  let isClosing = false;

  const add = (from: VmName, to: VmName, change: 1 | -1): void => {
    const counts = calls.get(to) ?? new Map<VmName, number>();
    const count = (counts.get(from) ?? 0) + change;
    if (count === 0) counts.delete(from);
    else counts.set(from, count);
    if (counts.size === 0) calls.delete(to);
    else calls.set(to, counts);
    total.next(total.value + change);
  };

  const hasRoom = (from: VmName, to: VmName): boolean => {
    const counts = calls.get(to) ?? new Map<VmName, number>();
    const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
    return fits(counts.get(from) ?? 0, all);
  };

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
    if (!hasRoom(from, to)) {
      return call.refuse({ code: 'busy', text: `too many calls to ${to} over the relay` });
    }
    rateLimitLog(from, (suppressed) =>
      log.info({ from, to, service, argument, suppressed }, 'a call is relayed'),
    );
    add(from, to, 1);
    let link = linkNow(to);
    try {
      link ??= await waitForLink(to, call);
    } catch (error) {
      add(from, to, -1);
      return call.refuse({ code: 'unreachable', text: (error as Error).message });
    }
    const remote = link.open({ target: '', source: from, service, argument });
    await Promise.all([
      spliceCalls(call, remote),
      remote.outcome,
      sent(call.stdout),
      sent(call.stderr),
    ]);
    add(from, to, -1);
  };

  return {
    forward,
    underWay: () => total.value,
    close: async () => {
      isClosing = true;
      for (const each of waiting) each.abort();
      const idle = firstValueFrom(total.pipe(filter((count) => count === 0)));
      await Promise.all([
        delay(lingerMs),
        Promise.race([idle, delay(graceMs, undefined, { ref: false })]),
      ]);
    },
  };
};

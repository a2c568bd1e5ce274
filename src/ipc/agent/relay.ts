/** This agent as a relay: it passes calls on between VMs that have a link with it, but none with each other. */
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
  /** The link with a VM, but no new one on a caller's behalf. Rejects with an Error that says why there is none. */
  readonly linkWith: (name: VmName, signal: AbortSignal) => Promise<Mux>;
  readonly linkNow: (name: VmName) => Mux | undefined;
  readonly log: Logger;
  readonly rateLimitLog: RateLimitLog;
};

export type Relay = {
  /** `from` is proved by the link that the call came over. Never throws, and every call gets an answer. */
  readonly forward: (from: VmName, to: VmName, call: IncomingCall) => Promise<void>;
  readonly underWay: () => number;
  /** Takes no more calls, and resolves when those there are have had time to end. */
  readonly close: () => Promise<void>;
};

/** For calls that were sent before their callers' agents found a better way: they must be refused, not lost. */
const lingerMs = 250;

/** For calls under way, within the 10 s that a service manager waits. */
const graceMs = 3_000;

/**
 * Of what the others leave on the link with a target, a source may take one in so many: alone it has 256 calls, and
 * when a dozen have taken all they may, there are still some for the next one.
 */
const share = 4;

const fits = (own: number, all: number): boolean => own < (maxStreams - (all - own)) / share;

/** Resolves when all of it went out over the link, or nobody is left to hear it. */
const sent = (output: Writable): Promise<void> =>
  new Promise((resolve) => {
    if (output.closed) resolve();
    else output.once('close', () => resolve());
  });

export const openRelay = ({ linkWith, linkNow, log, rateLimitLog }: RelayPorts): Relay => {
  /**
   * Calls by target and source, until the target has said their end, and the source has been told: one that is
   * cancelled still takes its place, and so does one whose output waits for its reader.
   */
  const calls = new Map<VmName, Map<VmName, number>>();
  const total = new BehaviorSubject(0);
  /** Calls that wait for a link. A signal for all of them would remember each for ever: `AbortSignal.any` is like that. */
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
      return call.refuse({ code: 'busy', text: `too many calls to ${to} by way of the relay` });
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

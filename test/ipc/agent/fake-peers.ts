/** Peers, links, a name table and a log without xenstore. */
import { pino } from 'pino';
import { BehaviorSubject, type Observable } from 'rxjs';
import type { Domid } from '../../../src/address/domid.ts';
import type { DomainMap, Named } from '../../../src/ipc/agent/domain-map.ts';
import type { Peer } from '../../../src/ipc/agent/peer.ts';
import type { LinkStatus } from '../../../src/ipc/agent/peer-status.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import { domidOf } from '../../support/domid.ts';

export const vm = (name: string): VmName => name as VmName;

/** A log, and the lines that were written to it. */
export const memoryLog = () => {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line));
  return { log: pino({ base: null, timestamp: false }, { write }), lines };
};

/** A link with this number of open calls. A test replaces the operations that it needs. */
export const fakeLink = (streams = 0, replaced: Partial<Mux> = {}): Mux => ({
  open: () => {
    throw new Error('the fake link makes no calls');
  },
  close: () => {},
  ready: Promise.resolve(),
  over: new Promise(() => {}),
  closed: new Promise(() => {}),
  version: () => 2,
  statistics: () => ({ streams, bytesIn: 0, bytesOut: 0, rttMs: undefined }),
  ...replaced,
});

const waiting = (name: string): LinkStatus => ({
  name: vm(name),
  domid: null,
  role: 'client',
  state: 'waiting',
  since: '2026-01-01T00:00:00.000Z',
  path: null,
  trouble: null,
  streams: 0,
  bytesIn: 0,
  bytesOut: 0,
  rttMs: null,
  reconnects: 0,
});

/** Rejects with the signal's reason once it is aborted. */
export const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

/** A peer whose link never comes up. A test replaces the operations that it needs. */
export const fakePeer = (
  name: string,
  replaced: Partial<Peer> & { readonly trouble?: string } = {},
): Peer => ({
  linkNow: () => undefined,
  link: untilAborted,
  status: () => ({ ...waiting(name), trouble: replaced.trouble ?? null }),
  close: async () => {},
  ...replaced,
});

/** A domain map in which `set` gives a name its domain. */
export const fakeDomainMap = () => {
  const domains = new Map<VmName, BehaviorSubject<Named>>();
  const subjectOf = (name: VmName): BehaviorSubject<Named> => {
    const subject = domains.get(name) ?? new BehaviorSubject<Named>('unknown');
    domains.set(name, subject);
    return subject;
  };
  const domainOf: DomainMap['domainOf'] = (name): Observable<Named> => subjectOf(name);
  return {
    domainOf,
    set: (name: string, named: number | Exclude<Named, Domid>) =>
      subjectOf(vm(name)).next(typeof named === 'number' ? domidOf(named) : named),
  };
};

/** The calls that the relay passes on now, and the share of a target's link that each source may use. */
import { BehaviorSubject, filter, firstValueFrom } from 'rxjs';
import type { VmName } from '../config/vm-name.ts';
import { maxStreams } from '../protocol/limits.ts';

/**
 * A source may use a quarter of the streams that other sources leave free on the link with a target. A single
 * source can have 256 calls. Even if a dozen sources use all that they may, the next source still gets some
 * streams.
 */
const share = 4;

const fits = (own: number, all: number): boolean => own < (maxStreams - (all - own)) / share;

type RelayLoad = {
  /** Whether the source may make one more call to the target. */
  readonly hasRoom: (from: VmName, to: VmName) => boolean;
  readonly add: (from: VmName, to: VmName) => void;
  readonly remove: (from: VmName, to: VmName) => void;
  readonly total: () => number;
  /** Resolves when there is no call. */
  readonly idle: () => Promise<unknown>;
};

export const openRelayLoad = (): RelayLoad => {
  /** The number of calls by target and source. */
  const calls = new Map<VmName, Map<VmName, number>>();
  const total = new BehaviorSubject(0);

  const change = (from: VmName, to: VmName, by: 1 | -1): void => {
    const counts = calls.get(to) ?? new Map<VmName, number>();
    const count = (counts.get(from) ?? 0) + by;
    if (count === 0) counts.delete(from);
    else counts.set(from, count);
    if (counts.size === 0) calls.delete(to);
    else calls.set(to, counts);
    total.next(total.value + by);
  };

  return {
    hasRoom: (from, to) => {
      const counts = calls.get(to) ?? new Map<VmName, number>();
      const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
      return fits(counts.get(from) ?? 0, all);
    },
    add: (from, to) => change(from, to, 1),
    remove: (from, to) => change(from, to, -1),
    total: () => total.value,
    idle: () => firstValueFrom(total.pipe(filter((count) => count === 0))),
  };
};

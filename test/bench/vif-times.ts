/** How long a vif takes to come up and to go, with whichever daemon serves it. */
import {
  filter,
  firstValueFrom,
  map,
  type Observable,
  Subject,
  take,
  timeout,
  toArray,
} from 'rxjs';
import type { ActorEvent } from '../rig/sim/actors.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { removeVif, type VifPlace, writeVif } from '../rig/sim/toolstack.ts';
import { hangMs } from '../support/until.ts';
import { untilIdle } from './footprint.ts';

/** Milliseconds since the epoch, comparable between processes. */
const now = (): number => performance.timeOrigin + performance.now();

const placeOf = (host: SimHost, guest: number, devid: number): VifPlace => ({
  guest,
  devid,
  backend: host.netVm,
});

/** The next `count` times. A daemon that fails a vif fails the benchmark: an Error says which times did not come. */
const timesOf = (times: Observable<number>, what: string, count: number): Promise<number[]> => {
  const late = () => {
    throw new Error(`not ${count} times within ${hangMs / 1000} s: ${what}`);
  };
  return firstValueFrom(times.pipe(take(count), toArray(), timeout({ first: hangMs, with: late })));
};

/** When the next `count` events of a kind happen. */
const eventsOf = (host: SimHost, kind: ActorEvent['what'], count: number): Promise<number[]> => {
  const times = host.actors.events.pipe(
    filter(({ what }) => what === kind),
    map(({ at }) => at),
  );
  return timesOf(times, kind, count);
};

/** When dom0 sees `connected` in the store, vif by vif. */
const watchConnected = (host: SimHost) => {
  const root = `/local/domain/${host.netVm}/backend/vif`;
  const connected = new Subject<number>();
  const seen = new Set<string>();
  const look = async (path: string, at: number): Promise<void> => {
    const value = await host.read(path);
    if (value !== 'connected' || seen.has(path)) return;
    seen.add(path);
    connected.next(at);
  };
  const subscription = host.dom0
    .watch(root)
    .pipe(filter((path) => path.endsWith('/hotplug-status')))
    .subscribe({
      next: (path) => look(path, now()).catch((error) => connected.error(error)),
      error: (error) => connected.error(error),
    });
  return { connected, stop: () => subscription.unsubscribe() };
};

export type Bench = {
  readonly host: SimHost;
  readonly guest: number;
  /** The daemon that serves the vifs. */
  readonly pid: number;
};

export type UpAndDown = { readonly upMs: number; readonly downMs: readonly number[] };

/** Has dom0 write the vifs; several are kept in state 1 until all are prepared, and then reach state 2 in one moment. */
const attach = async ({ host, guest, pid }: Bench, devids: readonly number[]): Promise<void> => {
  const { actors, dom0 } = host;
  const areMany = devids.length > 1;
  const prepared = eventsOf(host, 'prepared', devids.length);
  if (areMany) await actors.hold();
  for (const devid of devids) {
    const mac = `00:16:3e:01:00:${devid.toString(16).padStart(2, '0')}`;
    await writeVif(dom0, placeOf(host, guest, devid), { mac, ip: `10.0.5.${10 + devid}` });
  }
  await prepared;
  if (!areMany) return;
  await untilIdle(pid);
  await actors.release();
};

/** From the first state 2 to the last `connected`. */
const up = async (bench: Bench, devids: readonly number[]): Promise<number> => {
  const { host } = bench;
  const watch = watchConnected(host);
  try {
    const state2 = eventsOf(host, 'init-wait', 1);
    const connected = timesOf(watch.connected, 'hotplug-status=connected', devids.length);
    const published = eventsOf(host, 'connected', devids.length);
    const [first, last] = await Promise.all([state2, connected, attach(bench, devids), published]);
    return Math.max(...last) - Math.min(...first);
  } finally {
    watch.stop();
  }
};

/**
 * Attaches vifs to a host at rest, and detaches them one by one. `upMs` is from the first state 2 to the last
 * `connected`, `downMs` what dom0 waits for each detach.
 */
export const upAndDown = async (bench: Bench, devids: readonly number[]): Promise<UpAndDown> => {
  const { host, guest, pid } = bench;
  await untilIdle(pid);
  const upMs = await up(bench, devids);
  const downMs: number[] = [];
  for (const devid of devids) {
    const start = now();
    const complaints = await removeVif(host.dom0, placeOf(host, guest, devid));
    if (complaints.length > 0) throw new Error(complaints.join('; '));
    downMs.push(now() - start);
  }
  return { upMs, downMs };
};

/** The times for a vif to come up and to go, with any daemon. */
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

/** Milliseconds since the epoch with fractions, comparable between processes. */
const now = (): number => performance.timeOrigin + performance.now();

const placeOf = (host: SimHost, guest: number, devid: number): VifPlace => ({
  guest,
  devid,
  backend: host.netVm,
});

/**
 * Waits for the next `count` times.
 * @throws Error that names the missing event, because a daemon that fails a vif fails the benchmark
 */
const timesOf = (times: Observable<number>, what: string, count: number): Promise<number[]> => {
  const late = () => {
    throw new Error(`not ${count} x "${what}" within ${hangMs / 1000} s`);
  };
  return firstValueFrom(times.pipe(take(count), toArray(), timeout({ first: hangMs, with: late })));
};

/** The times of the next `count` events of a kind. */
const eventsOf = (host: SimHost, kind: ActorEvent['what'], count: number): Promise<number[]> => {
  const times = host.actors.events.pipe(
    filter(({ what }) => what === kind),
    map(({ at }) => at),
  );
  return timesOf(times, kind, count);
};

/** Emits the time at which dom0 sees hotplug-status `connected`, for each vif. */
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

/**
 * Lets dom0 write the vifs. If there are several, netback prepares all of them before they reach state 2 at
 * once.
 */
const attach = async ({ host, guest, pid }: Bench, devids: readonly number[]): Promise<void> => {
  const { actors, dom0 } = host;
  const areMany = devids.length > 1;
  const prepared = eventsOf(host, 'prepared', devids.length);
  if (areMany) await actors.deferVifs();
  for (const devid of devids) {
    const mac = `00:16:3e:01:00:${devid.toString(16).padStart(2, '0')}`;
    await writeVif(dom0, placeOf(host, guest, devid), { mac, ip: `10.0.5.${10 + devid}` });
  }
  await prepared;
  if (!areMany) return;
  await untilIdle(pid);
  await actors.release();
};

/** Milliseconds from the first state 2 to the last `connected`. */
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
 * Attaches vifs to an idle host, and detaches them one by one. `upMs` is the time from the first state 2 to
 * the last `connected`; `downMs` are dom0's waits for each detach.
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

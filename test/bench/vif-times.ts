/** How long a vif takes to come up and to go, with whichever daemon serves it. */
import { filter, firstValueFrom, map, Subject, take, toArray } from 'rxjs';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { removeVif, type VifPlace, writeVif } from '../rig/sim/toolstack.ts';

/** Milliseconds since the epoch, comparable between processes. */
const now = (): number => performance.timeOrigin + performance.now();

const placeOf = (host: SimHost, guest: number, devid: number): VifPlace => ({
  guest,
  devid,
  backend: host.netVm,
});

/** When dom0 sees `connected` in the store, vif by vif. */
const watchConnected = (host: SimHost) => {
  const root = `/local/domain/${host.netVm}/backend/vif`;
  const connected = new Subject<number>();
  const seen = new Set<string>();
  const look = async (path: string): Promise<void> => {
    const value = await host.read(path);
    if (value !== 'connected' || seen.has(path)) return;
    seen.add(path);
    connected.next(now());
  };
  const subscription = host.dom0
    .watch(root)
    .pipe(filter((path) => path.endsWith('/hotplug-status')))
    .subscribe((path) => void look(path));
  return { connected, stop: () => subscription.unsubscribe() };
};

export type UpAndDown = { readonly upMs: number; readonly downMs: readonly number[] };

/**
 * Attaches vifs whose state 2 comes at once for all of them, and detaches them one by one. `upMs` is from the
 * first state 2 to the last `connected`; `downMs` is what dom0 waits for each detach.
 */
export const upAndDown = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
): Promise<UpAndDown> => {
  const { actors, dom0 } = host;
  const watch = watchConnected(host);
  await actors.hold();
  for (const devid of devids) {
    const mac = `00:16:3e:01:00:${devid.toString(16).padStart(2, '0')}`;
    await writeVif(dom0, placeOf(host, guest, devid), { mac, ip: `10.0.5.${10 + devid}` });
  }
  const state2 = firstValueFrom(
    actors.events.pipe(
      filter(({ what }) => what === 'init-wait'),
      map(({ at }) => at),
    ),
  );
  const last = firstValueFrom(watch.connected.pipe(take(devids.length), toArray()));
  const published = firstValueFrom(
    actors.events.pipe(
      filter(({ what }) => what === 'connected'),
      take(devids.length),
      toArray(),
    ),
  );
  await actors.release();
  const upMs = Math.max(...(await last)) - (await state2);
  watch.stop();
  await published;
  const downMs: number[] = [];
  for (const devid of devids) {
    const start = now();
    const complaints = await removeVif(dom0, placeOf(host, guest, devid));
    if (complaints.length > 0) throw new Error(complaints.join('; '));
    downMs.push(now() - start);
  }
  return { upMs, downMs };
};

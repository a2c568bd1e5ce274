/** An operator's xl commands on the fast rig. */
import { filter, firstValueFrom } from 'rxjs';
import type { Xenstore } from '../../../src/xen/xenstore.ts';
import type { Toolstack, VifSpec, VmSpec } from '../host.ts';
import type { Actors } from './actors.ts';
import { type Guest, makeGuest } from './guest.ts';
import type { Rig } from './rig.ts';
import { addVif, removeVif, type VifPlace, vifsOf } from './toolstack.ts';

export type Dom0 = {
  readonly rig: Rig;
  readonly store: Xenstore;
  readonly actors: Actors;
  readonly netVm: number;
  /** Whether netback registers netdevs without delay. */
  readonly netdevsAppear: boolean;
  readonly guests: Map<string, Guest>;
  lastDomid: number;
};

export const guestOf = ({ guests }: Dom0, name: string): Guest => {
  const guest = guests.get(name);
  if (!guest) throw new Error(`no VM ${name}`);
  return guest;
};

/** Runs a toolstack operation; resolves with a result like xl's. */
const asXl = async (operation: () => Promise<readonly string[]>): Promise<Toolstack> => {
  const start = performance.now();
  const complaints = await operation();
  const seconds = (performance.now() - start) / 1000;
  const stderr = complaints.map((text) => `libxl: error: ${text}\n`).join('');
  return { status: complaints.length > 0 ? 1 : 0, stdout: '', stderr, seconds };
};

/** Resolves when the guest has configured the vif, or when the vif has failed. */
const endOfVif = ({ actors }: Dom0, { guest, devid }: VifPlace): Promise<unknown> =>
  firstValueFrom(
    actors.events.pipe(
      filter((event) => event.guest === guest && event.devid === devid),
      filter(({ what }) => what === 'configured' || what === 'failed'),
    ),
  );

const add = async ({ store }: Dom0, place: VifPlace, { mac, ip }: VifSpec): Promise<void> => {
  const complaints = await addVif(store, place, { mac, ip });
  if (complaints.length > 0) throw new Error(complaints.join('; '));
};

/**
 * `xl create`; resolves with the domid. If netdevs appear without delay, it first waits for the guest's vif.
 */
export const create = async (dom0: Dom0, { name, vif }: VmSpec): Promise<number> => {
  dom0.lastDomid += 1;
  const guest = await makeGuest(dom0.rig, dom0.store, { domid: dom0.lastDomid, name });
  const place = { guest: guest.domid, backend: dom0.netVm, devid: 0 };
  dom0.guests.set(name, guest);
  const ready = vif && dom0.netdevsAppear && endOfVif(dom0, place);
  if (vif) await add(dom0, place, vif);
  await dom0.actors.boot(guest.domid);
  await ready;
  return guest.domid;
};

/** `xl destroy`: stops the guest, removes its devices in parallel, and then removes the domain. */
export const destroy = (dom0: Dom0, name: string): Promise<Toolstack> =>
  asXl(async () => {
    const guest = guestOf(dom0, name);
    await dom0.actors.pause(guest.domid);
    const vifs = await vifsOf(dom0.store, guest.domid);
    const complaints = await Promise.all(vifs.map((place) => removeVif(dom0.store, place, true)));
    await guest.free();
    dom0.guests.delete(name);
    return complaints.flat();
  });

/** `xl network-attach`, which gives the vif the number after the highest one. */
export const attach = async (dom0: Dom0, name: string, vif: VifSpec): Promise<number> => {
  const { domid } = guestOf(dom0, name);
  const devids = (await vifsOf(dom0.store, domid)).map(({ devid }) => devid);
  const place = { guest: domid, backend: dom0.netVm, devid: Math.max(-1, ...devids) + 1 };
  await add(dom0, place, vif);
  return place.devid;
};

/** `xl network-detach`. */
export const detach = (dom0: Dom0, name: string, devid: number): Promise<Toolstack> => {
  const place = { guest: guestOf(dom0, name).domid, backend: dom0.netVm, devid };
  return asXl(() => removeVif(dom0.store, place));
};

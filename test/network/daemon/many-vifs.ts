/** Many vifs of one guest that all reach state 2 at the same moment. */
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif, type VifNodes, writeVif } from '../../rig/sim/toolstack.ts';
import { becomesConnected, macOf, place } from './net-vm.ts';

export const devidsUpTo = (count: number): readonly number[] => Array.from(Array(count).keys());

/** One address of each family; no two vifs of a guest have the same. */
export const addressesOf = (devid: number): string => {
  const [high, low] = [5 + Math.floor(devid / 200), 10 + (devid % 200)];
  return `10.0.${high}.${low} fd00:5::${high}:${low}`;
};

/** dom0 attaches the vifs; `nodes` gives each vif nodes that add to the usual ones or replace them. */
export const attachVifs = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
  nodes: (devid: number) => VifNodes = () => ({}),
): Promise<void> => {
  await host.actors.deferVifs();
  for (const devid of devids) {
    const usual = { mac: macOf(guest, devid), ip: addressesOf(devid) };
    await writeVif(host.dom0, place(guest, devid), { ...usual, ...nodes(devid) });
  }
  await host.actors.release();
};

/** Waits until each of the vifs is connected. */
export const becomeConnected = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
): Promise<void> => {
  for (const devid of devids) await becomesConnected(host, guest, devid);
};

/** Detaches all of them at the same time; returns dom0's complaints. */
export const detachVifs = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
): Promise<readonly string[]> => {
  const complaints = await Promise.all(
    devids.map((devid) => removeVif(host.dom0, place(guest, devid))),
  );
  return complaints.flat();
};

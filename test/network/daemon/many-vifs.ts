/** Many vifs of one guest, which all reach state 2 in one moment. */
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif, type VifNodes, writeVif } from '../../rig/sim/toolstack.ts';
import { becomesConnected, macOf, place } from './net-vm.ts';

export const devidsUpTo = (count: number): readonly number[] => Array.from(Array(count).keys());

/** One address of each family; no two vifs of a guest have the same. */
export const addressesOf = (devid: number): string => {
  const [high, low] = [5 + Math.floor(devid / 200), 10 + (devid % 200)];
  return `10.0.${high}.${low} fd00:5::${high}:${low}`;
};

/** dom0 writes the vifs; `nodes` says what each has besides or instead of the usual. */
export const attachVifs = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
  nodes: (devid: number) => VifNodes = () => ({}),
): Promise<void> => {
  await host.actors.hold();
  for (const devid of devids) {
    const usual = { mac: macOf(guest, devid), ip: addressesOf(devid) };
    await writeVif(host.dom0, place(guest, devid), { ...usual, ...nodes(devid) });
  }
  await host.actors.release();
};

export const becomeConnected = async (
  host: SimHost,
  guest: number,
  devids: readonly number[],
): Promise<void> => {
  for (const devid of devids) await becomesConnected(host, guest, devid);
};

/** Takes all of them away at the same time; returns what dom0 complains of. */
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

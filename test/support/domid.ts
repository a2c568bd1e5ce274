/** Domids for tests. */
import { type Domid, parseDomid } from '../../src/address/domid.ts';

export const domidOf = (value: number | string): Domid => {
  const domid = parseDomid(`${value}`);
  if (domid === undefined) throw new Error(`${value} is not a domid`);
  return domid;
};

/** Who holds which address, so that no two vifs ever share one. */
import { isHost, overlaps, type Prefix } from '../../address/prefix.ts';

type Holding<T> = { readonly prefix: Prefix; readonly holder: T };

export type AddressHolders<T> = {
  readonly hosts: Map<string, Holding<T>>;
  readonly networks: Holding<T>[];
};

export const noHolders = <T>(): AddressHolders<T> => ({ hosts: new Map(), networks: [] });

export const addHolder = <T>(holders: AddressHolders<T>, prefix: Prefix, holder: T): void => {
  if (isHost(prefix)) holders.hosts.set(prefix.text, { prefix, holder });
  else holders.networks.push({ prefix, holder });
};

/** The holder of an address in `prefix`, if any. Hosts are found by hash: most vifs have nothing else. */
export const holderOf = <T>(holders: AddressHolders<T>, prefix: Prefix): T | undefined => {
  const touches = (holding: Holding<T>) => overlaps(holding.prefix, prefix);
  const host = isHost(prefix)
    ? holders.hosts.get(prefix.text)
    : [...holders.hosts.values()].find(touches);
  return (host ?? holders.networks.find(touches))?.holder;
};

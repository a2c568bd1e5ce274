/** A table of addresses and their holders: it keeps two vifs from having the same address. */
import { isHost, overlaps, type Prefix } from '../../address/prefix.ts';

type Holding<T> = { readonly prefix: Prefix; readonly holder: T };

export type AddressHolders<T> = {
  readonly hosts: Map<string, Holding<T>>;
  readonly networks: Holding<T>[];
};

export const noHolders = <T>(): AddressHolders<T> => ({ hosts: new Map(), networks: [] });

/** Adds a holder; a later holder of the same host address replaces the earlier one. */
export const addHolder = <T>(holders: AddressHolders<T>, prefix: Prefix, holder: T): void => {
  if (isHost(prefix)) holders.hosts.set(prefix.text, { prefix, holder });
  else holders.networks.push({ prefix, holder });
};

/**
 * A holder whose address or network overlaps `prefix`. A hash finds hosts, as most vifs have only host
 * addresses.
 */
export const holderOf = <T>(holders: AddressHolders<T>, prefix: Prefix): T | undefined => {
  const touches = (holding: Holding<T>) => overlaps(holding.prefix, prefix);
  const host = isHost(prefix)
    ? holders.hosts.get(prefix.text)
    : [...holders.hosts.values()].find(touches);
  return (host ?? holders.networks.find(touches))?.holder;
};

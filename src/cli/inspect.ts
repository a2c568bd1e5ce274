/** The status without a daemon: one look at xenstore and the kernel, changing nothing. */
import { loadConfig } from '../config/config.ts';
import { interpret } from '../core/backend-vif.ts';
import { decide } from '../core/decide.ts';
import { type Status, statusOf } from '../core/status.ts';
import { everyUplink } from '../daemon/world.ts';
import { openNetwork } from '../net/network.ts';
import { baseFile } from '../package.ts';
import { openBackend } from '../xen/backend.ts';
import { connect } from '../xen/connect.ts';

/** Throws CONFIG_INVALID, XENSTORE_UNAVAILABLE, CommandError. */
export const inspect = async (configFile: string): Promise<Status> => {
  const { gateways, allowed, ...config } = await loadConfig(configFile);
  const { store, domid } = await connect();
  const backend = openBackend(store, domid);
  const network = openNetwork(baseFile, '/nonexistent');
  const linkNames = network.linkNames();
  const [links, elements, names, keys] = await Promise.all([
    network.observeLinks(),
    network.nft.elements(),
    backend.names(),
    backend.keys(),
  ]);
  const kernel = { ...links, elements: elements ?? new Map() };
  const records = await Promise.all(keys.map((key) => backend.read(key)));
  const vifs = records.flatMap((record) => (record === undefined ? [] : [interpret(record)]));
  store.close();
  return statusOf({
    daemon: null,
    decisions: decide({
      ...{ vifs, kernel, linkNames, gateways, allowed, names },
      uplinks: config.uplinks ?? everyUplink(linkNames),
      refusedMtus: new Map(),
    }),
    historyOf: () => ({ problem: undefined, since: null, claims: 0 }),
    names,
    kernel,
    gateways: gateways.map(({ text }) => text),
  });
};

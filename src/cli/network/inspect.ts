/** The status without a daemon: reads xenstore and the kernel once, and changes nothing. */

import { isProblem } from '../../errors.ts';
import { loadConfig, policyDirectory } from '../../network/config/config.ts';
import { loadPolicies } from '../../network/config/policies.ts';
import { everyUplink } from '../../network/daemon/observed-state.ts';
import { openNetwork } from '../../network/kernel/network.ts';
import { policyChains } from '../../network/policy/policy-chain.ts';
import { policyOf, vmNamesIn } from '../../network/policy/policy-set.ts';
import { type Status, statusOf } from '../../network/status/status.ts';
import { openBackend } from '../../network/store/backend.ts';
import { interpret } from '../../network/vif/backend-vif.ts';
import { type Circumstances, decideVifs } from '../../network/vif/decide-vifs.ts';
import { staticRulesetFile } from '../../package.ts';
import { connect } from '../../xen/connect.ts';

const nobody = { nowS: 0, linksOf: () => [], addressesOf: () => undefined };

/** @throws VifwatchError CONFIG_INVALID or XENSTORE_UNAVAILABLE @throws CommandError if nft or ip fails */
export const inspect = async (configFile: string): Promise<Status> => {
  const { gateways, allowed, shares, ...config } = await loadConfig(configFile);
  const policySet = await loadPolicies(policyDirectory(configFile));
  const { store, domid } = await connect();
  const backend = openBackend(store, domid);
  const network = openNetwork([staticRulesetFile], { gateways, shares });
  const linkNames = network.linkNames();
  const [links, firewall, counts, panic, { names }, keys] = await Promise.all([
    network.observeLinks(),
    network.nft.observe(),
    network.nft.counts(),
    network.panic.isPanic(),
    backend.names(vmNamesIn(policySet)),
    backend.keys(),
  ]);
  const kernel = { ...links, ...(firewall ?? { elements: new Map(), chains: new Map() }) };
  const records = await Promise.all(keys.map((key) => backend.read(key)));
  const vifs = records.flatMap((record) => (record === undefined ? [] : [interpret(record)]));
  store.close();
  // The status needs only to know whether the vif has a policy; the chains' content does not matter.
  const policyFor: Circumstances['policyFor'] = (nameOf) => (vif, prefixes) => {
    const policy = policyOf(policySet, vif.domid, nameOf(vif), prefixes);
    return isProblem(policy) ? policy : { source: policy, chains: policyChains(policy, nobody) };
  };
  return statusOf({
    daemon: null,
    panic,
    decisions: decideVifs({
      vifs,
      kernel,
      linkNames,
      gateways,
      allowed,
      names,
      policyFor,
      uplinks: config.uplinks ?? everyUplink(linkNames),
      refusedMtus: new Map(),
    }),
    historyOf: () => ({ problem: undefined, since: null, claims: 0 }),
    names,
    kernel,
    gateways: gateways.map(({ text }) => text),
    counts,
  });
};

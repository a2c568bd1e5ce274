/**
 * A net-vm that forwards for one guest, with vifwatch, with plain routing, or with a linear list of rules.
 */

import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { parsePrefix } from '../../src/address/prefix.ts';
import { isProblem } from '../../src/errors.ts';
import { loadPolicies } from '../../src/network/config/policies.ts';
import { dataplaneOfVif } from '../../src/network/plan/dataplane-of-vif.ts';
import { policyChains } from '../../src/network/policy/policy-chain.ts';
import { policyOf } from '../../src/network/policy/policy-set.ts';
import { bringUpLines } from '../../src/network/text/ip-batch.ts';
import { additions } from '../../src/network/text/nft-json.ts';
import { becomesConnected, guestVm } from '../network/daemon/net-vm.ts';
import { mac as parsedMac } from '../network/store-fixture.ts';
import { gateway4, outside4 } from '../rig/host.ts';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { assertReaches } from '../scenario/ping.ts';
import { domidOf } from '../support/domid.ts';
import { linkNameOf } from '../support/link-name.ts';

export type RouterKind = 'vifwatch' | 'plain' | 'linear';
export type Router = { readonly host: SimHost; readonly address: string; readonly mac: string };

const address = '10.0.5.30';
const mac = '00:16:3e:07:00:30';

type Place = {
  readonly link: string;
  readonly domid: number;
  readonly address: string;
  readonly mac: string;
};

const byte = (value: number): string => value.toString(16).padStart(2, '0');

/** Vifs without a guest, which only make the sets and lists of rules longer. */
const bystanders = (count: number): Place[] =>
  Array.from({ length: count }, (_, index) => {
    const [high, low] = [index >> 8, index & 0xff];
    const domid = 1000 + index;
    const link = `vif${domid}.0`;
    return {
      link,
      domid,
      address: `10.7.${high}.${low}`,
      mac: `00:16:3e:08:${byte(high)}:${byte(low)}`,
    };
  });

const policySet = await loadPolicies('/nonexistent');

/** The policy of a VM without its own policy. */
const commonPolicy = () => {
  const source = policyOf(policySet, domidOf(0), undefined, []);
  assert.ok(!isProblem(source));
  const facts = { nowS: 0, linksOf: () => [], addressesOf: () => undefined };
  return { source, chains: policyChains(source, facts) };
};

const bringUpOf = ({ link, domid, address: text, mac: own }: Place) => {
  const prefix = parsePrefix(text);
  assert.ok(!('problem' in prefix));
  const served = {
    key: `${domid}/0` as const,
    domid: domidOf(domid),
    devid: 0,
    defaultLink: linkNameOf(link),
    link: linkNameOf(link),
    mac: parsedMac(own),
    name: undefined,
    prefixes: [prefix],
    mtu: undefined,
    routed: true,
    hasIpv6: prefix.family === 6,
    policy: commonPolicy(),
  };
  const nothing = { mtu: undefined, missing: [], replaced: [], behind: [], chains: [] };
  return { served, dataplane: dataplaneOfVif(served, []), ...nothing, open: true, stayDown: false };
};

const must = async (host: SimHost, argv: readonly string[]): Promise<void> => {
  const { status, stderr } = await host.inNetVm(argv);
  assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
};

const ip = async (host: SimHost, lines: readonly string[]): Promise<void> => {
  const file = `${host.sim.directory}/ip-batch`;
  await writeFile(file, `${lines.join('\n')}\n`);
  await must(host, ['ip', '-batch', file]);
};

const nft = async (host: SimHost, text: string, options: readonly string[]): Promise<void> => {
  const file = `${host.sim.directory}/ruleset`;
  await writeFile(file, text);
  await must(host, ['nft', ...options, '-f', file]);
};

/**
 * Makes the links. Each veth pair serves as the links of two bystanders, which halves the number of pairs.
 */
const addLinks = (host: SimHost, places: readonly Place[]): Promise<void> =>
  ip(host, [
    ...places.flatMap(({ link }, index) => {
      const peer = places[index + 1]?.link ?? 'spare';
      return index % 2 === 0 ? [`link add ${link} type veth peer name ${peer}`] : [];
    }),
    ...places.flatMap((place) => bringUpLines(bringUpOf(place))),
  ]);

/**
 * The rules that Xen's vif-common.sh makes for each vif. It inserts them at the head, so the first VM's rules
 * are last.
 */
const linearRules = (places: readonly Place[]): string =>
  `table ip linear {
  chain forward {
    type filter hook forward priority filter; policy drop;
    ${places
      .flatMap(({ link, address: own }) => [
        `iifname "${link}" ip saddr ${own} accept`,
        `oifname "${link}" accept`,
      ])
      .join('\n    ')}
  }
}
`;

const route = async (host: SimHost, own: Place): Promise<void> => {
  await ip(host, [`addr add ${gateway4}/32 dev lo`, ...bringUpLines(bringUpOf(own))]);
  await must(host, ['busybox', 'sysctl', '-w', 'net.ipv4.ip_forward=1']);
};

const serve = async (host: SimHost, guest: number): Promise<void> => {
  await becomesConnected(host, guest);
  await assertReaches({ host, from: guestVm }, outside4);
  // The daemon's rules stay after its end. It must not run when the bystanders' elements are added: it would
  // remove them.
  await host.signalDaemon('SIGTERM');
};

/** Starts a router. @param vifs the number of vifs, including the guest's */
export const startRouter = async (kind: RouterKind, vifs: number): Promise<Router> => {
  const host = await startSimHost({ store: 'xenstored' });
  try {
    if (kind === 'vifwatch') await host.startDaemon();
    const guest = await host.create({ ...guestVm, vif: { mac, ip: address } });
    const own = { link: `vif${guest}.0`, domid: guest, address, mac };
    await (kind === 'vifwatch' ? serve(host, guest) : route(host, own));
    const others = bystanders(vifs - 1);
    await must(host, ['busybox', 'sysctl', '-w', 'net.ipv6.conf.default.disable_ipv6=1']);
    if (others.length > 0) await addLinks(host, others);
    const dataplanes = others.map((place) => bringUpOf(place).dataplane);
    const rules = {
      elements: dataplanes.flatMap(({ elements }) => [...elements.values()]),
      chains: dataplanes.flatMap(({ chains }) => chains),
      replaced: [],
    };
    if (kind === 'vifwatch' && others.length > 0) await nft(host, additions(rules), ['-j']);
    if (kind === 'linear') await nft(host, linearRules([...others, own]), []);
    await assertReaches({ host, from: guestVm }, outside4);
    return { host, address, mac };
  } catch (error) {
    await host.close();
    throw error;
  }
};

/** Runs a command in the router's guest. */
export const inGuest = ({ host }: Router, argv: readonly string[]) => host.inVm(guestVm.name, argv);

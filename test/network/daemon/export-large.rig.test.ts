/** A large host's rules, exported and loaded elsewhere, are the same rules. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { test } from 'vitest';
import type { LinkName } from '../../../src/address/link-name.ts';
import { staticRulesetFilesOf } from '../../../src/network/config/config.ts';
import { parsePolicyFile } from '../../../src/network/config/policy-file.ts';
import { dataplaneOfVif } from '../../../src/network/plan/dataplane-of-vif.ts';
import { policyChains } from '../../../src/network/policy/policy-chain.ts';
import { hostElements, type UplinkOptions } from '../../../src/network/state/host-elements.ts';
import { additions } from '../../../src/network/text/nft-json.ts';
import { shareLines } from '../../../src/network/text/share-rules.ts';
import { domidOf } from '../../support/domid.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { mac, prefix } from '../store-fixture.ts';
import { makeEmpty, sortedWords } from './empty-namespace.ts';
import { macOf, withNetVm } from './net-vm.ts';
import { arbitraryRule, tomlOf } from './policy-model.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;
const vms = 200;
const rulesEach = 20;
const cidrs = [
  '192.0.2.0/24',
  '10.0.0.0/8',
  '198.51.100.7',
  '2001:db8::/32',
  'fd00:5::3',
  '0.0.0.0/0',
];

const shares = { flows: 100, newFlows: 10, fragments: 10, neighbours: 2, icmpErrors: 5 };

const options: UplinkOptions = {
  masquerade: true,
  mssClamp: true,
  forwards: [{ proto: 'tcp', port: 80, to: prefix('10.0.5.7'), toPort: 8080 }],
};

const linkOf = (vm: string): LinkName => linkNameOf(`vif${Number(vm.slice(2)) + 3}.0`);

/** The firewall's content on a host with many VMs, each with its own policy. */
const largeState = (seed: number) => {
  const names = Array.from({ length: vms }, (_, index) => `vm${index}`);
  const rule = arbitraryRule(names, cidrs);
  const policy = fc.array(rule, { minLength: rulesEach, maxLength: rulesEach });
  const policies = fc.sample(policy, { seed, numRuns: vms });
  const facts = { nowS: 0, linksOf: (vm: string) => [linkOf(vm)], addressesOf: () => undefined };
  const dataplanes = names.map((name, index) => {
    const { rules } = parsePolicyFile(`${name}.toml`, tomlOf(policies[index] ?? []));
    const source = { key: name, rules };
    const domid = domidOf(index + 3);
    const [link, low] = [linkOf(name), index % 250];
    const prefixes = [`10.0.5.${low}`, `10.9.${index}.0/24`, `fd00:5::${index}`].map(prefix);
    return dataplaneOfVif(
      {
        key: `${domid}/0`,
        name,
        domid,
        devid: 0,
        defaultLink: link,
        link,
        mac: mac(macOf(low)),
        prefixes,
        mtu: undefined,
        routed: true,
        hasIpv6: true,
        policy: { source, chains: policyChains(source, facts) },
      },
      [],
    );
  });
  const ofHost = hostElements({
    ...options,
    uplinks: ['eth0', 'wwan0'].map(linkNameOf),
    gateways: [prefix('10.0.5.251')],
    networks: ['10.0.6.0/25', '10.0.6.128/25', 'fd00:6::/64'].map(prefix),
  });
  return {
    elements: [...ofHost, ...dataplanes.flatMap(({ elements }) => [...elements.values()])],
    chains: dataplanes.flatMap((dataplane) => dataplane.chains),
    replaced: [],
  };
};

const forms = [
  { form: 'text', options: [], nft: ['nft'] },
  { form: 'json', options: ['--json'], nft: ['nft', '-j'] },
];

test(`${vms} VMs with ${rulesEach} random rules each: their export, loaded elsewhere, exports the same bytes`, async () => {
  await withNetVm(
    async (host) => {
      const seed = Math.trunc(Math.random() * 2 ** 31);
      const file = `${host.sim.directory}/state`;
      writeFileSync(file, additions(largeState(seed)));
      const first = await makeEmpty(host, 'first');
      for (const ruleset of staticRulesetFilesOf(options)) await first(['nft', '-f', ruleset]);
      await first(['nft', shareLines(shares).join('; ')]);
      await first(['nft', '-j', '-f', file]);
      const listing = ['nft', '--stateless', 'list', 'ruleset'];
      const listed = sortedWords(await first(listing));
      for (const { form, nft, ...how } of forms) {
        const exporting = [process.execPath, main, 'export', ...how.options];
        const exported = await first(exporting);
        assert.ok(exported.split('\n').length > vms * rulesEach, `${form}, seed ${seed}`);
        const second = await makeEmpty(host, form);
        writeFileSync(file, exported);
        await second([...nft, '-f', file]);
        assert.ok((await second(exporting)) === exported, `${form}, seed ${seed}`);
        assert.ok(sortedWords(await second(listing)) === listed, `${form}, seed ${seed}`);
      }
    },
    { daemon: false },
  );
});

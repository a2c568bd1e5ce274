/** Writes the configuration of net-vm's daemon: vifwatch.toml and the policies in rules.d. */
import type { Prefix } from '../../address/prefix.ts';
import { shareKeys } from '../../network/config/shares-schema.ts';
import type { Mesh, Net, Vm } from './mesh.ts';

// JSON and TOML write names of VMs and interfaces, and addresses, in the same way.
const listOf = (texts: readonly string[]): string =>
  `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`;

const textsOf = (prefixes: readonly Prefix[]): string => listOf(prefixes.map(({ text }) => text));

const tableOf = ({ name, addresses }: Vm): string =>
  `\n[[vm]]\nname = "${name}"\naddresses = ${textsOf(addresses)}\n`;

const forwardOf = ({ proto, port, to, toPort }: Net['forwards'][number]): string =>
  `\n[[forward]]\nproto = "${proto}"\nport = ${port}\nto = "${to.text}"\ntoport = ${toPort}\n`;

/** The keys of `[share]` that differ from their defaults, as TOML. */
const shareOf = ({ shares }: Net): string => {
  const keys = shareKeys(shares);
  return keys.length === 0
    ? ''
    : `\n[share]\n${keys.map(([key, value]) => `${key} = ${value}\n`).join('')}`;
};

const daemonConfig = (net: Net, vms: readonly Vm[]): string =>
  [
    '# Made by "vifwatch mesh compile": change mesh.toml instead.\n',
    ...(net.uplinks === undefined ? [] : [`uplink = ${listOf(net.uplinks)}\n`]),
    `gateway = ${textsOf(net.gateways)}\n`,
    ...(net.masquerade ? ['masquerade = true\n'] : []),
    ...(net.mssClamp ? ['mss_clamp = true\n'] : []),
    shareOf(net),
    ...net.forwards.map(forwardOf),
    ...vms.map(tableOf),
  ].join('');

/** Returns [path, text] pairs. The paths are relative to net-vm's /etc/vifwatch. */
export const netVmFiles = ({ vms }: Mesh, net: Net): readonly (readonly [string, string])[] => {
  const served = [...vms]
    .filter(({ addresses }) => addresses.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  return [
    ['vifwatch.toml', daemonConfig(net, served)],
    ...served.flatMap(({ name, network }) =>
      network === undefined ? [] : [[`rules.d/${name}.toml`, network] as const],
    ),
  ];
};

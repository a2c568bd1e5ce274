/**
 * Reads /etc/vifwatch/vifwatch.toml. The file is optional; unknown keys are errors; each error names its
 * place.
 */
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { isLinkName, type LinkName } from '../../address/link-name.ts';
import { isHost, overlaps, type Prefix, reservedRange } from '../../address/prefix.ts';
import { mssClampFile, staticRulesetFile, translationFile } from '../../package.ts';
import { invalidKey, parseStrict, prefixSchema, readOptional } from '../../toml/strict-toml.ts';
import type { PortForward, UplinkOptions } from '../state/host-elements.ts';
import type { Shares } from '../state/shares.ts';
import { sharesSchema } from './shares-schema.ts';

export type Config = UplinkOptions & {
  /** Interfaces that VMs may send to; undefined means all interfaces except lo and vifs. */
  readonly uplinks: readonly LinkName[] | undefined;
  /** The guests' gateway addresses, kept on `lo`. */
  readonly gateways: readonly Prefix[];
  readonly shares: Shares;
  /** By VM name: addresses that the guest itself may claim. */
  readonly allowed: ReadonlyMap<string, readonly Prefix[]>;
};

/** The settings that vifwatch.toml and a mesh file have in common. */
export type Uplink = Omit<Config, 'allowed'>;

const addressOf = (message: string) => v.pipe(prefixSchema, v.check(isHost, message));

const linkLocal = ['169.254.0.0/16', 'fe80::/10'];

const addressSchema = v.pipe(
  addressOf('a gateway is one address, not a network'),
  v.check((address) => {
    const range = reservedRange(address);
    return range === undefined || linkLocal.includes(range.text);
  }, 'guests cannot use this address as their gateway'),
);

const interfaceSchema = v.pipe(
  v.string(),
  v.guard(isLinkName, 'not an interface name'),
  v.check((name) => !name.startsWith('vif') && name !== 'lo', 'an uplink is neither lo nor a vif'),
);

const portSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

const forwardSchema = v.pipe(
  v.strictObject({
    proto: v.picklist(['tcp', 'udp']),
    port: portSchema,
    to: v.pipe(
      addressOf('the target is one address, not a network'),
      v.check(({ family }) => family === 4, 'only IPv4 ports can be forwarded'),
    ),
    toport: v.optional(portSchema),
  }),
  v.transform(
    ({ proto, port, to, toport }): PortForward => ({ proto, port, to, toPort: toport ?? port }),
  ),
);

/** The TOML keys of an `Uplink`. */
export const uplinkEntries = {
  masquerade: v.optional(v.boolean(), false),
  forward: v.optional(v.array(forwardSchema), []),
  uplink: v.optional(
    v.pipe(
      v.array(interfaceSchema),
      v.minLength(1, 'is empty; without the key, every interface is an uplink'),
    ),
  ),
  gateway: v.optional(v.array(addressSchema), []),
  mss_clamp: v.optional(v.boolean(), false),
  share: sharesSchema,
};

/** Renames the TOML keys to those of `Uplink`. */
export const uplinkOf = (
  keys: v.InferOutput<v.ObjectSchema<typeof uplinkEntries, undefined>>,
): Uplink => ({
  uplinks: keys.uplink,
  gateways: keys.gateway,
  masquerade: keys.masquerade,
  forwards: keys.forward,
  mssClamp: keys.mss_clamp,
  shares: keys.share,
});

/** The indices of forwards that repeat the protocol and port of an earlier one. */
export const repeatedForwards = (forwards: readonly PortForward[]): readonly number[] =>
  [...forwards.keys()].filter((index) => {
    const { proto, port } = forwards[index] as PortForward;
    return (
      forwards.findIndex((forward) => forward.proto === proto && forward.port === port) !== index
    );
  });

const schema = v.strictObject({
  ...uplinkEntries,
  vm: v.optional(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.minLength(1)),
        addresses: v.array(prefixSchema),
      }),
    ),
    [],
  ),
});

type Vms = v.InferOutput<typeof schema>['vm'];

/** The first network that another [[vm]] has, too: the guests of both could claim the same address. */
const overlapIn = (vms: Vms) => {
  const seen: { readonly name: string; readonly prefix: Prefix }[] = [];
  for (const [index, { name, addresses }] of vms.entries()) {
    for (const [at, prefix] of addresses.entries()) {
      const other = seen.find((known) => known.name !== name && overlaps(known.prefix, prefix));
      if (other !== undefined) return { path: ['vm', index, 'addresses', at], prefix, other };
      seen.push({ name, prefix });
    }
  }
  return undefined;
};

/**
 * @param file the name for messages
 * @throws VifwatchError CONFIG_INVALID with file, line, column and a caret under the place
 */
export const parseConfig = (file: string, text: string): Config => {
  const { vm, ...keys } = parseStrict(file, text, schema);
  const uplink = uplinkOf(keys);
  const allowed = new Map<string, readonly Prefix[]>();
  for (const [index, { name, addresses }] of vm.entries()) {
    if (allowed.has(name)) {
      const path = ['vm', index, 'name'];
      throw invalidKey(file, text, path, `an earlier [[vm]] has the name "${name}"`);
    }
    allowed.set(name, addresses);
  }
  const overlap = overlapIn(vm);
  if (overlap !== undefined) {
    const { path, prefix, other } = overlap;
    const message = `${prefix.text} overlaps ${other.prefix.text} of the [[vm]] "${other.name}"`;
    throw invalidKey(file, text, path, message);
  }
  const [repeated] = repeatedForwards(uplink.forwards);
  if (repeated !== undefined) {
    const { proto, port } = uplink.forwards[repeated] as PortForward;
    const path = ['forward', repeated, 'port'];
    throw invalidKey(file, text, path, `an earlier [[forward]] has ${proto} port ${port}`);
  }
  return { ...uplink, allowed };
};

/** The directory rules.d beside the configuration file. */
export const policyDirectory = (configFile: string): string => join(dirname(configFile), 'rules.d');

/** Reads the file; without a file, every key has its default. @throws VifwatchError CONFIG_INVALID */
export const loadConfig = async (file: string): Promise<Config> =>
  parseConfig(file, await readOptional(file));

/** The files of rules/ that the configuration requires, in load order. */
export const staticRulesetFilesOf = (options: UplinkOptions): readonly string[] => [
  staticRulesetFile,
  ...(options.masquerade || options.forwards.length > 0 ? [translationFile] : []),
  ...(options.mssClamp ? [mssClampFile] : []),
];

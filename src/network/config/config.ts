/** /etc/vifwatch/vifwatch.toml: strict, optional, and every error says where. */
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import { isHost, type Prefix } from '../../address/prefix.ts';
import { caretAt } from '../../toml/locate.ts';
import { invalid, parseStrict, prefixSchema, readOptional } from '../../toml/strict-toml.ts';
import type { PortForward, UplinkOptions } from '../state/host-elements.ts';

export type Config = UplinkOptions & {
  /** Interfaces that VMs may send to; undefined means every one that is neither lo nor a vif. */
  readonly uplinks: readonly string[] | undefined;
  /** The guests' gateway addresses, kept on `lo`. */
  readonly gateways: readonly Prefix[];
  /** Whether the MSS of VMs' TCP connections is lowered to what the path's MTU in net-vm allows. */
  readonly mssClamp: boolean;
  /** By VM name: what a VM may have although only its guest says so. */
  readonly allowed: ReadonlyMap<string, readonly Prefix[]>;
};

/** What is said of the uplink; a mesh says the same. */
export type Uplink = Omit<Config, 'allowed'>;

const addressOf = (otherwise: string) => v.pipe(prefixSchema, v.check(isHost, otherwise));

/** A gateway's. */
const addressSchema = addressOf('a gateway is one address, not a network');

/** An uplink. IFNAMSIZ - 1; the kernel refuses "/" and white space in names. */
const interfaceSchema = v.pipe(
  v.string(),
  v.regex(/^[^\s\p{Cc}/"*]{1,15}$/u, 'not an interface name'),
  v.check((name) => !name.startsWith('vif') && name !== 'lo', 'an uplink is neither lo nor a vif'),
);

const portSchema = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65535));

const forwardSchema = v.pipe(
  v.strictObject({
    proto: v.picklist(['tcp', 'udp']),
    port: portSchema,
    to: v.pipe(
      addressOf('the target is one address, not a network'),
      v.check(({ family }) => family === 4, 'only IPv4 is translated'),
    ),
    toport: v.optional(portSchema),
  }),
  v.transform(
    ({ proto, port, to, toport }): PortForward => ({ proto, port, to, toPort: toport ?? port }),
  ),
);

/** The keys for an `Uplink`. */
export const uplinkEntries = {
  masquerade: v.optional(v.boolean(), false),
  forward: v.optional(v.array(forwardSchema), []),
  uplink: v.optional(v.array(interfaceSchema)),
  gateway: v.optional(v.array(addressSchema), []),
  mss_clamp: v.optional(v.boolean(), false),
};

export const uplinkOf = ({
  uplink: uplinks,
  gateway: gateways,
  masquerade,
  forward: forwards,
  mss_clamp: mssClamp,
}: v.InferOutput<v.ObjectSchema<typeof uplinkEntries, undefined>>): Uplink => ({
  ...{ uplinks, gateways, masquerade, forwards, mssClamp },
});

/** Those whose port an earlier one has, by index. */
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

/** Throws CONFIG_INVALID with file, line, column and a caret under the place. */
export const parseConfig = (file: string, text: string): Config => {
  const { vm, ...keys } = parseStrict(file, text, schema);
  const uplink = uplinkOf(keys);
  const allowed = new Map<string, readonly Prefix[]>();
  for (const [index, { name, addresses }] of vm.entries()) {
    if (allowed.has(name)) {
      const { line, column, codeblock } = caretAt(text, ['vm', index, 'name']);
      throw invalid(`${file}:${line}:${column}`, `a second [[vm]] called "${name}"\n${codeblock}`);
    }
    allowed.set(name, addresses);
  }
  const [repeated] = repeatedForwards(uplink.forwards);
  if (repeated !== undefined) {
    const { proto, port } = uplink.forwards[repeated] as PortForward;
    const { line, column, codeblock } = caretAt(text, ['forward', repeated, 'port']);
    throw invalid(
      `${file}:${line}:${column}`,
      `a second [[forward]] of ${proto} ${port}\n${codeblock}`,
    );
  }
  return { ...uplink, allowed };
};

/** Beside the configuration file. */
export const policyDirectory = (configFile: string): string => join(dirname(configFile), 'rules.d');

/** Reads the file; without one, everything has its default. Throws CONFIG_INVALID. */
export const loadConfig = async (file: string): Promise<Config> => {
  return parseConfig(file, await readOptional(file));
};

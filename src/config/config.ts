/** /etc/vifwatch/vifwatch.toml: strict, optional, and every error says where. */
import { dirname, join } from 'node:path';
import * as v from 'valibot';
import type { PortForward, UplinkOptions } from '../core/host-elements.ts';
import { isHost, type Prefix } from '../core/prefix.ts';
import { caretAt } from './locate.ts';
import { invalid, parseStrict, prefixSchema, readOptional } from './strict-toml.ts';

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

const addressOf = (otherwise: string) => v.pipe(prefixSchema, v.check(isHost, otherwise));

/** A gateway's. */
export const addressSchema = addressOf('a gateway is one address, not a network');

/** An uplink. IFNAMSIZ - 1; the kernel refuses "/" and white space in names. */
export const interfaceSchema = v.pipe(
  v.string(),
  v.regex(/^[^\s/"*]{1,15}$/, 'not an interface name'),
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

const schema = v.strictObject({
  masquerade: v.optional(v.boolean(), false),
  forward: v.optional(v.array(forwardSchema), []),
  uplink: v.optional(v.array(interfaceSchema)),
  gateway: v.optional(v.array(addressSchema), []),
  mss_clamp: v.optional(v.boolean(), false),
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
  const {
    uplink,
    gateway,
    masquerade,
    forward,
    mss_clamp: mssClamp,
    vm,
  } = parseStrict(file, text, schema);
  const allowed = new Map<string, readonly Prefix[]>();
  for (const [index, { name, addresses }] of vm.entries()) {
    if (allowed.has(name)) {
      const { line, column, codeblock } = caretAt(text, ['vm', index, 'name']);
      throw invalid(`${file}:${line}:${column}`, `a second [[vm]] called "${name}"\n${codeblock}`);
    }
    allowed.set(name, addresses);
  }
  for (const [index, { proto, port }] of forward.entries()) {
    if (forward.findIndex((one) => one.proto === proto && one.port === port) === index) continue;
    const { line, column, codeblock } = caretAt(text, ['forward', index, 'port']);
    throw invalid(
      `${file}:${line}:${column}`,
      `a second [[forward]] of ${proto} ${port}\n${codeblock}`,
    );
  }
  return { uplinks: uplink, gateways: gateway, masquerade, forwards: forward, mssClamp, allowed };
};

/** Beside the configuration file. */
export const policyDirectory = (configFile: string): string => join(dirname(configFile), 'rules.d');

/** Reads the file; without one, everything has its default. Throws CONFIG_INVALID. */
export const loadConfig = async (file: string): Promise<Config> => {
  return parseConfig(file, await readOptional(file));
};

/** Parses mesh.toml by its schema. The diagnostics check its names and addresses later. */
import * as v from 'valibot';
import { type Uplink, uplinkEntries, uplinkOf } from '../../network/config/config.ts';
import type { Place } from '../../text/diagnostic.ts';
import { openCarets } from '../../toml/locate.ts';
import type { KeyPath } from '../../toml/place-tree.ts';
import { parseStrict } from '../../toml/strict-toml.ts';

export type MeshVm = {
  readonly name: string;
  /** The xl configuration's file name, as in mesh.toml and relative to it. */
  readonly config: string;
  /** The rules file's name, as in mesh.toml and relative to it. */
  readonly rules: string | undefined;
  /** The operator's part of the kernel command line. */
  readonly extra: string;
  readonly ip: readonly string[];
  readonly mac: string | undefined;
  readonly profile: string | undefined;
  readonly serve: readonly string[];
  readonly connect: readonly string[];
  readonly relay: string | undefined;
  readonly needs: readonly string[];
};

export type MeshFile = {
  /** The file's name in messages. */
  readonly file: string;
  /** Finds a key path's place, or that of its longest prefix that the file contains. */
  readonly at: (path: KeyPath) => Required<Place>;
  /** The directory of the central call policy, relative to the file. */
  readonly policy: string | undefined;
  readonly net: (Uplink & { readonly vm: string }) | undefined;
  readonly vms: ReadonlyMap<string, MeshVm>;
};

const pathSchema = v.pipe(v.string(), v.minLength(1, 'is empty'));

const namesSchema = v.optional(v.array(v.string()), []);

const vmSchema = v.strictObject({
  config: pathSchema,
  extra: v.optional(v.string(), ''),
  ip: v.optional(v.pipe(v.array(v.string()), v.minLength(1, 'is empty'))),
  mac: v.optional(v.string()),
  profile: v.optional(v.string()),
  rules: v.optional(pathSchema),
  serve: namesSchema,
  connect: namesSchema,
  relay: v.optional(v.string()),
  needs: namesSchema,
});

/** Valibot's records silently drop these keys. */
const withheld = ['__proto__', 'prototype', 'constructor'];

const schema = v.strictObject({
  policy: v.optional(pathSchema),
  net: v.optional(v.strictObject({ vm: v.string(), ...uplinkEntries })),
  vm: v.pipe(
    v.unknown(),
    v.check(
      (table) => !withheld.some((key) => Object.hasOwn(Object(table), key)),
      `a VM cannot be named ${withheld.join(' or ')}`,
    ),
    v.record(v.string(), vmSchema),
  ),
});

/**
 * Parses the text of mesh.toml.
 * @throws VifwatchError CONFIG_INVALID, with the place and a caret, if it does not match the schema
 */
export const parseMesh = (file: string, text: string): MeshFile => {
  const { policy, net, vm } = parseStrict(file, text, schema);
  const caretAt = openCarets(text);
  const vms = Object.entries(vm).map(
    ([name, { ip = [], mac, profile, rules, relay, ...more }]): MeshVm => {
      return { name, ip, mac, profile, rules, relay, ...more };
    },
  );
  return {
    file,
    at: (path) => {
      const { line, column } = caretAt(path);
      return { file, line, column };
    },
    policy,
    net: net && { vm: net.vm, ...uplinkOf(net) },
    vms: new Map(vms.map((vm) => [vm.name, vm])),
  };
};

/** mesh.toml as it is spelled: whether its names and addresses make sense is not looked at here. */
import * as v from 'valibot';
import { type Uplink, uplinkEntries, uplinkOf } from '../../network/config/config.ts';
import type { Place } from '../../text/diagnostic.ts';
import { openCarets } from '../../toml/locate.ts';
import { parseStrict } from '../../toml/strict-toml.ts';
import type { KeyPath } from '../../toml/toml-places.ts';

export type MeshVm = {
  readonly name: string;
  /** Files, as they are spelled: relative to mesh.toml. */
  readonly config: string;
  readonly rules: string | undefined;
  /** Of the kernel's command line. */
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
  /** As it is named to people. */
  readonly file: string;
  /** Where the longest beginning of a path stands that the file spells out. */
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

/** valibot's records leave these keys out without a word. */
const withheld = ['__proto__', 'prototype', 'constructor'];

const schema = v.strictObject({
  policy: v.optional(pathSchema),
  net: v.optional(v.strictObject({ vm: v.string(), ...uplinkEntries })),
  vm: v.pipe(
    v.unknown(),
    v.check(
      (table) => !withheld.some((key) => Object.hasOwn(Object(table), key)),
      `no VM can be called ${withheld.join(' or ')}`,
    ),
    v.record(v.string(), vmSchema),
  ),
});

/** Throws CONFIG_INVALID, with file, line, column and a caret, for what is no such file at all. */
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

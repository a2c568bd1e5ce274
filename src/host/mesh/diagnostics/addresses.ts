/** Finds addresses and MACs that are not valid for a vif or that two vifs share, and wrong port forwards. */
import { parseMac } from '../../../address/mac.ts';
import {
  contains,
  overlaps,
  type Prefix,
  parsePrefix,
  reservedRange,
} from '../../../address/prefix.ts';
import { repeatedForwards } from '../../../network/config/config.ts';
import type { Diagnostic, Place } from '../../../text/diagnostic.ts';
import { quoted } from '../../../text/printable.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshFile } from '../mesh-file.ts';

type Assignment<T> = { readonly value: T; readonly by: string; readonly at: Required<Place> };

const inFileOrder = <T>(holders: readonly Assignment<T>[]): readonly Assignment<T>[] =>
  [...holders].sort((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);

/** Reports each value that clashes with one earlier in the file. */
const clashes = <T>(
  holders: readonly Assignment<T>[],
  textOf: (value: T) => string,
  clash: (a: T, b: T) => boolean,
): readonly Diagnostic[] => {
  const ordered = inFileOrder(holders);
  return ordered.flatMap(({ value, at }, index) => {
    const first = ordered.slice(0, index).find((other) => clash(other.value, value));
    if (first === undefined) return [];
    const where = `line ${first.at.line} gives ${textOf(first.value)} to ${first.by}`;
    return [error(at, `${textOf(value)} is taken: ${where}; choose another`)];
  });
};

const addressesIn = ({ vms, at }: MeshFile) => {
  const diagnostics: Diagnostic[] = [];
  const assigned: Assignment<Prefix>[] = [];
  for (const { name, ip } of vms.values()) {
    for (const [index, text] of ip.entries()) {
      const place = at(['vm', name, 'ip', index]);
      const value = parsePrefix(text);
      if ('problem' in value) {
        diagnostics.push(error(place, `${value.problem}; correct it`));
        continue;
      }
      const range = reservedRange(value);
      if (range === undefined) assigned.push({ value, by: name, at: place });
      else
        diagnostics.push(
          error(place, `${value.text} is in ${range.text}, which no VM may use; choose another`),
        );
    }
  }
  return { diagnostics, assigned };
};

const macsIn = ({ vms, at }: MeshFile) => {
  const diagnostics: Diagnostic[] = [];
  const assigned: Assignment<string>[] = [];
  for (const { name, mac } of vms.values()) {
    if (mac === undefined) continue;
    const place = at(['vm', name, 'mac']);
    const value = parseMac(mac);
    if (value !== undefined) assigned.push({ value, by: name, at: place });
    else {
      const example = 'write it like "00:16:3e:05:00:01"';
      diagnostics.push(error(place, `${quoted(mac)} is not a unicast MAC; ${example}`));
    }
  }
  return { diagnostics, assigned };
};

/** Checks the addresses and MACs of all vifs, and the gateways. */
export const addressDiagnostics = (mesh: MeshFile): readonly Diagnostic[] => {
  const addresses = addressesIn(mesh);
  const macs = macsIn(mesh);
  const gateways = (mesh.net?.gateways ?? []).map((value, index) => ({
    value,
    by: 'the gateway',
    at: mesh.at(['net', 'gateway', index]),
  }));
  return [
    ...addresses.diagnostics,
    ...macs.diagnostics,
    ...clashes([...gateways, ...addresses.assigned], ({ text }) => text, overlaps),
    ...clashes(macs.assigned, String, (a, b) => a === b),
  ];
};

/** Checks the port forwards of `[net]`. */
export const forwardDiagnostics = ({ net, vms, at }: MeshFile): readonly Diagnostic[] => {
  const forwards = net?.forwards ?? [];
  const prefixes = [...vms.values()].flatMap(({ ip }) => ip.map(parsePrefix));
  const isAssigned = (to: (typeof forwards)[number]['to']): boolean =>
    prefixes.some((prefix) => !('problem' in prefix) && contains(prefix, to));
  return [
    ...repeatedForwards(forwards).map((index) =>
      error(
        at(['net', 'forward', index, 'port']),
        'this port is already forwarded; remove one forward',
      ),
    ),
    ...forwards.flatMap(({ to }, index) =>
      isAssigned(to)
        ? []
        : [
            error(
              at(['net', 'forward', index, 'to']),
              `no VM has the address ${to.text}; correct it`,
            ),
          ],
    ),
  ];
};

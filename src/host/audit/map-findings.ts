/** Checks that the domain map has this VM's domid under its name, and that this VM cannot change the map. */
import type { Domid } from '../../address/domid.ts';
import { printable, quoted } from '../../text/printable.ts';
import { domainMap } from '../../xen/domain-map.ts';
import type { Permission } from '../../xen/xenstore.ts';
import type { AuditFinding } from './finding.ts';
import { mayWrite } from './permissions.ts';

export type MapFacts = {
  /** The value of /local/domain/<domid>/name; undefined if it cannot be read. */
  readonly name: string | undefined;
  /** Domids by name: the readable entries among those that this VM can list, and its own entry. */
  readonly entries: ReadonlyMap<string, string>;
  /** By path: the readable permissions of the map, its parent and its entries. */
  readonly permissions: ReadonlyMap<string, readonly Permission[]>;
};

const nameFindings = (self: Domid, { name, entries }: MapFacts): readonly AuditFinding[] => {
  if (name === undefined) {
    const what = `this VM cannot read /local/domain/${self}/name, and so does not know its name`;
    return [{ code: 'MAP_WRONG', what, do: 'in dom0: xl list; create the VM again' }];
  }
  const path = `${domainMap}/${printable(name)}`;
  const found = entries.get(name);
  if (found === `${self}`) return [];
  const what =
    found === undefined
      ? `${path} does not exist, or this VM may not read it`
      : `${path} is ${quoted(found)}, but this is domain ${self}`;
  return [
    { code: 'MAP_WRONG', what, do: `in dom0: dom0/recreate, or xenstore-write ${path} ${self}` },
  ];
};

const ambiguousFindings = (self: Domid, { entries }: MapFacts): readonly AuditFinding[] => {
  const names = [...entries].flatMap(([name, domid]) => (domid === `${self}` ? [name] : []));
  if (names.length < 2) return [];
  const listed = names.map(quoted).join(' and ');
  const what = `the map names domain ${self} ${listed}; peers accept neither name`;
  return [{ code: 'MAP_AMBIGUOUS', what, do: `in dom0: xenstore-rm ${domainMap}/WRONG-NAME` }];
};

const writableFindings = (self: Domid, { permissions }: MapFacts): readonly AuditFinding[] =>
  [...permissions]
    .filter(([, given]) => mayWrite(given, self))
    .map(([path]) => ({
      code: 'MAP_WRITABLE',
      what: `this VM can write ${quoted(path)}, and so change which domain has which name`,
      do: `in dom0: xenstore-chmod ${printable(path)} n0, with an r for each reader`,
    }));

/** Returns the findings about the domain map. @param self this VM's domid */
export const mapFindings = (self: Domid, facts: MapFacts): readonly AuditFinding[] => [
  ...nameFindings(self, facts),
  ...ambiguousFindings(self, facts),
  ...writableFindings(self, facts),
];

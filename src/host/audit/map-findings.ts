/** Whether dom0's map has this VM's name right, and only dom0 can change it. */
import { printable, quoted } from '../../text/printable.ts';
import type { Permission } from '../../xen/xenstore.ts';
import type { AuditFinding } from './finding.ts';
import { mayWrite } from './permissions.ts';

export const domainMap = '/ipc/domain-map';

export type MapFacts = {
  /** As /local/domain/<domid>/name has it. */
  readonly name: string | undefined;
  /** By name, as far as they can be read; all that can be listed, and the own one. */
  readonly entries: ReadonlyMap<string, string>;
  /** Of the map, of what leads to it, and of its entries, as far as they can be seen; by path. */
  readonly permissions: ReadonlyMap<string, readonly Permission[]>;
};

const nameFindings = (self: number, { name, entries }: MapFacts): readonly AuditFinding[] => {
  if (name === undefined) {
    const what = `/local/domain/${self}/name cannot be read: this VM does not know its name`;
    return [{ code: 'MAP_WRONG', what, do: 'in dom0: xl list; create the VM again' }];
  }
  const path = `${domainMap}/${printable(name)}`;
  const found = entries.get(name);
  if (found === `${self}`) return [];
  const what =
    found === undefined
      ? `${path} is not there, or this VM may not read it`
      : `${path} is ${quoted(found)}, and this is domain ${self}`;
  return [
    { code: 'MAP_WRONG', what, do: `in dom0: dom0/recreate, or xenstore-write ${path} ${self}` },
  ];
};

const ambiguousFindings = (self: number, { entries }: MapFacts): readonly AuditFinding[] => {
  const names = [...entries].flatMap(([name, domid]) => (domid === `${self}` ? [name] : []));
  if (names.length < 2) return [];
  const listed = names.map(quoted).join(' and ');
  const what = `the map has domain ${self} as ${listed}, so that nobody takes it for either`;
  return [{ code: 'MAP_AMBIGUOUS', what, do: `in dom0: xenstore-rm ${domainMap}/WRONG-NAME` }];
};

const writableFindings = (self: number, { permissions }: MapFacts): readonly AuditFinding[] =>
  [...permissions]
    .filter(([, given]) => mayWrite(given, self))
    .map(([path]) => ({
      code: 'MAP_WRITABLE',
      what: `this VM can write ${quoted(path)}, and so say who is who`,
      do: `in dom0: xenstore-chmod ${printable(path)} n0, with an r for each reader`,
    }));

export const mapFindings = (self: number, facts: MapFacts): readonly AuditFinding[] => [
  ...nameFindings(self, facts),
  ...ambiguousFindings(self, facts),
  ...writableFindings(self, facts),
];

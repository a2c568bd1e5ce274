/** The readers of each domain-map entry, and the VMs that may list all entries. */
import { expect, test } from 'vitest';
import { listersOf, readersOf } from '../../../src/host/mesh/domain-map-acl.ts';
import { parseMesh } from '../../../src/host/mesh/mesh-file.ts';

const vm = (name: string, ...lines: readonly string[]): string =>
  `[vm.${name}]\nconfig = "x"\n${lines.join('\n')}\n`;

const readers = (...parts: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    [...readersOf(parseMesh('m', parts.join('')))].map(([name, names]) => [name, names.join(' ')]),
  );

test("a VM's entry is readable for itself, its link peers and the driver domain", () => {
  const tables = [
    '[net]\nvm = "net"\n',
    vm('net'),
    vm('a', 'serve = ["b"]'),
    vm('b', 'connect = ["a"]'),
    vm('c', 'serve = ["d"]'),
    vm('d'),
  ];
  expect(readers(...tables)).toEqual({
    net: 'net',
    a: 'a b net',
    b: 'a b net',
    // Only one end names this link, so it is not a link.
    c: 'c net',
    d: 'd net',
  });
  expect(listersOf(parseMesh('m', tables.join('')))).toEqual(['net']);
});

test('a VM that serves every VM reads all entries, and all VMs read its entry', () => {
  const tables = [vm('s', 'serve = ["*"]'), vm('a'), vm('b', 'connect = ["s"]')];
  expect(readers(...tables)).toEqual({ s: 'a b s', a: 'a s', b: 'b s' });
  expect(listersOf(parseMesh('m', tables.join('')))).toEqual(['s']);
});

test('a relay and the VMs that use it read the entries of each other', () => {
  const tables = [
    vm('r', 'serve = ["a", "b", "c"]'),
    vm('a', 'connect = ["r"]', 'relay = "r"'),
    vm('b', 'connect = ["r"]', 'relay = "r"'),
    vm('c', 'connect = ["r"]'),
    vm('q', 'relay = "q"'),
  ];
  expect(readers(...tables)).toEqual({ r: 'a b c r', a: 'a b r', b: 'a b r', c: 'c r', q: 'q' });
  expect(listersOf(parseMesh('m', tables.join('')))).toEqual(['q', 'r']);
});

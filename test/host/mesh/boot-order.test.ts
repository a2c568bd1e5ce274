/** The boot order of VMs with random needs. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cyclesOf, levelsOf } from '../../../src/host/mesh/boot-order.ts';
import { parseMesh } from '../../../src/host/mesh/mesh-file.ts';

const names = ['a', 'b', 'c', 'd', 'e', 'f'];

/** For each VM: the VMs that it needs, and whether it has a vif. */
const hosts = fc.tuple(
  ...names.map(() => fc.record({ needs: fc.subarray(names, { maxLength: 2 }), ip: fc.boolean() })),
);

const meshOf = (vms: readonly { readonly needs: readonly string[]; readonly ip: boolean }[]) => {
  const tables = vms.map(({ needs, ip }, at) => {
    const vif = ip ? `ip = ["10.0.0.${at + 1}"]\n` : '';
    return `[vm.${names[at]}]\nconfig = "x"\nneeds = ${JSON.stringify(needs)}\n${vif}`;
  });
  return parseMesh('m', `[net]\nvm = "net"\n[vm.net]\nconfig = "x"\n${tables.join('')}`);
};

/** Whether `from` needs `to`, directly or through other VMs. */
const reaches = (
  needs: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
): boolean => {
  const seen = new Set<string>();
  const ahead = [...(needs.get(from) ?? [])];
  for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
    if (next === to) return true;
    if (!seen.has(next)) ahead.push(...(needs.get(next) ?? []));
    seen.add(next);
  }
  return false;
};

test('each VM starts one level after the VMs it needs, and circular needs are reported', () => {
  let sound = 0;
  fc.assert(
    fc.property(hosts, (vms) => {
      const mesh = meshOf(vms);
      const needs = new Map(vms.map((vm, at) => [names[at] ?? '', vm.needs]));
      const cycles = cyclesOf(mesh);
      const circular = names.filter((name) => reaches(needs, name, name));
      expect(cycles.length > 0).toBe(circular.length > 0);
      for (const cycle of cycles) {
        expect(cycle.at(-1)).toBe(cycle[0]);
        for (const [at, name] of cycle.slice(1).entries()) {
          expect(needs.get(cycle[at] ?? '')).toContain(name);
        }
      }
      if (cycles.length > 0) return;
      sound += 1;
      const levels = levelsOf(mesh);
      expect(levels.get('net')).toBe(0);
      for (const name of names) {
        const before = (needs.get(name) ?? []).map((needed) => levels.get(needed) ?? Number.NaN);
        expect(levels.get(name)).toBe(1 + Math.max(0, ...before));
      }
    }),
    { numRuns: 500 },
  );
  expect(sound).toBeGreaterThan(20);
});

test('without a driver domain, VMs that need nothing start first', () => {
  const mesh = parseMesh('m', '[vm.b]\nconfig = "x"\n[vm.a]\nconfig = "x"\nneeds = ["b"]\n');
  expect(Object.fromEntries(levelsOf(mesh))).toEqual({ b: 0, a: 1 });
});

/** A random mesh either has diagnostics with existing places, or its output is consistent. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { overlaps } from '../../../src/address/prefix.ts';
import { checkMesh } from '../../../src/host/mesh/check.ts';
import { dom0Table } from '../../../src/host/mesh/dom0-table.ts';
import type { Mesh } from '../../../src/host/mesh/mesh.ts';
import { lineOf } from '../../../src/host/mesh/mesh-diagnostic.ts';
import { parseMesh } from '../../../src/host/mesh/mesh-file.ts';
import type { Sources } from '../../../src/host/mesh/sources.ts';
import { parseXlConfig, xlConfigText } from '../../../src/host/mesh/xl-config.ts';
import { isDomainMapName } from '../../../src/ipc/config/vm-name.ts';
import { policyOf, rulesOf } from '../../ipc/policy/policy-of.ts';

const names = ['net', 'a', 'b', 'c', 'd'];
/** A VM's name, or now and then the name of something else. */
const anyName = fc.oneof(
  { weight: 60, arbitrary: fc.constantFrom(...names) },
  fc.constantFrom('x', 'dom0', 'a b', '', '*', '\n', '__proto__', 'é'),
);
const address = fc.oneof(
  { weight: 30, arbitrary: fc.integer({ min: 2, max: 250 }).map((host) => `10.0.5.${host}`) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 250 }).map((net) => `10.1.${net}.0/24`) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 9 }).map((host) => `fd00::${host}`) },
  fc.constantFrom('10.0.5.1', '127.0.0.1', '10.0.5.0/24', 'x', ''),
);
const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

const vm = fc.record({
  extra: fc.constantFrom('quiet', '', 'x'.repeat(900)),
  ip: fc.option(fc.array(address, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  mac: rarely(fc.constantFrom('00:16:3e:00:00:01', '00:16:3e:00:00:02', '01:00:00:00:00:00')),
  profile: rarely(fc.constantFrom('internet', 'none')),
  rules: rarely(fc.constantFrom('good.toml', 'bad.toml', 'absent.toml')),
  config: fc.oneof(
    { weight: 40, arbitrary: fc.constant('good.cfg') },
    fc.constantFrom('bad.cfg', 'absent.cfg'),
  ),
  relay: rarely(anyName),
  needs: rarely(fc.array(anyName, { maxLength: 1 })),
});

/** A link that both ends name, or now and then only one end. */
const link = fc.record({
  server: anyName,
  client: anyName,
  said: fc.oneof(
    { weight: 20, arbitrary: fc.constant('both') },
    fc.constantFrom('server', 'client'),
  ),
});

const world = fc.record({
  vms: fc.tuple(...names.map(() => vm)),
  links: fc.array(link, { maxLength: 3 }),
  everybody: rarely(fc.constantFrom(...names)),
  net: fc.option(fc.constantFrom('net', 'net', 'net', 'net', 'a', 'dom0'), {
    freq: 8,
    nil: undefined,
  }),
  rule: rarely(fc.tuple(anyName, anyName, fc.constantFrom('allow', 'deny'))),
});

type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

const textOf = ({ vms, links, everybody, net }: World): string => {
  const tables = vms.map(({ ip, mac, profile, rules, ...more }, at) => {
    const name = names[at] ?? '';
    const served = links.filter(({ server, said }) => server === name && said !== 'client');
    const connected = links.filter(({ client, said }) => client === name && said !== 'server');
    // A VM without a vif must not have these keys, and net never has a vif.
    const ofVif = name === 'net' || ip === undefined ? {} : { ip, mac, profile, rules };
    const all = {
      ...more,
      ...ofVif,
      serve: [...served.map(({ client }) => client), ...(everybody === name ? ['*'] : [])],
      connect: connected.map(({ server }) => server),
    };
    const lines = Object.entries(all).filter(([, value]) => value !== undefined);
    return [`[vm.${name}]`, ...lines.map(([key, value]) => `${key} = ${JSON.stringify(value)}`)];
  });
  const head = net === undefined ? [] : ['[net]', `vm = "${net}"`, 'gateway = ["10.0.5.1"]'];
  return ['policy = "p"', ...head, ...tables.flat()].join('\n');
};

const sourcesOf = (generated: World): Sources => {
  const mesh = parseMesh('mesh.toml', textOf(generated));
  const [from = 'a', to = 'b', action = 'deny'] = generated.rule ?? [];
  const isRule = [from, to].every((name) => name === '*' || isDomainMapName(name));
  const rules = isRule ? rulesOf(`s * ${from} ${to} ${action}`) : [];
  return {
    mesh,
    policy: { policy: policyOf(rules), rules, files: 1, directories: ['p'], isWritten: false },
    policyDirectory: 'p',
    files: new Map([
      ['good.cfg', { file: 'good.cfg', kind: 'text', text: 'memory=1\n' }],
      ['bad.cfg', { file: 'bad.cfg', kind: 'text', text: '\nvif = [ "" ]' }],
      ['absent.cfg', { file: 'absent.cfg', kind: 'unreadable', reason: 'does not exist' }],
      ['good.toml', { file: 'good.toml', kind: 'text', text: 'profile = "internet"\n' }],
      ['bad.toml', { file: 'bad.toml', kind: 'text', text: 'profile = 1\n' }],
      ['absent.toml', { file: 'absent.toml', kind: 'unreadable', reason: 'does not exist' }],
    ]),
    profiles: ['internet'],
  };
};

const assertHoldsTogether = (mesh: Mesh): void => {
  const { vms, net, pairs } = mesh;
  const named = new Map(vms.map((vm) => [vm.name, vm]));
  const assigned = vms.flatMap(({ addresses }) => addresses);
  const all = [...assigned, ...(net?.gateways ?? [])];
  for (const [at, address] of all.entries()) {
    for (const other of all.slice(at + 1)) expect(overlaps(address, other)).toBe(false);
  }
  for (const vm of vms) {
    for (const needed of vm.needs) expect(named.get(needed)?.level).toBeLessThan(vm.level);
    if (vm.addresses.length > 0) expect(vm.needs).toContain(net?.vm);
    expect(vm.level === 0).toBe(
      vm.name === net?.vm || (net === undefined && vm.needs.length === 0),
    );
    const text = xlConfigText(vm, net?.vm);
    const { settings, syntaxError } = parseXlConfig(text);
    expect(syntaxError).toBeUndefined();
    const keys = settings.map(({ key }) => key);
    expect(keys.filter((key) => key === 'vif')).toHaveLength(vm.addresses.length > 0 ? 1 : 0);
    expect(text.split(`,backend=${net?.vm}"]`)).toHaveLength(vm.addresses.length > 0 ? 2 : 1);
    expect(keys.includes('driver_domain')).toBe(vm.name === net?.vm);
    expect(vm.commandLine.length).toBeLessThan(1024);
  }
  for (const { server, client } of pairs) {
    expect(named.get(server)?.readers).toContain(client);
    expect(named.get(client)?.readers).toContain(server);
  }
  const table = dom0Table(mesh).trimEnd().split('\n');
  expect(new Set(table).size).toBe(table.length);
  for (const line of table.slice(1)) expect(line).toMatch(/^[a-z]+( [A-Za-z0-9_./:,*+-]+)+$/);
};

test('a random mesh has diagnostics at places in its files, or compiles to consistent output', () => {
  let sound = 0;
  const said = new Set<string>();
  fc.assert(
    fc.property(world, (generated) => {
      const { diagnostics, mesh } = checkMesh(sourcesOf(generated));
      const lines = textOf(generated).split('\n');
      for (const diagnostic of diagnostics) {
        const { file, line, column } = diagnostic.place;
        expect(lineOf(diagnostic)).toMatch(/^[a-z./]+:[1-9]\d*:[1-9]\d*: [ -~]+; [ -~]+$/);
        if (file === 'mesh.toml')
          expect(column).toBeLessThanOrEqual(lines[(line ?? 1) - 1]?.length ?? 0);
        said.add(diagnostic.text.replace(/.*; /, ''));
      }
      expect(mesh === undefined).toBe(diagnostics.some(({ severity }) => severity === 'error'));
      if (mesh === undefined) return;
      sound += 1;
      assertHoldsTogether(mesh);
    }),
    { numRuns: 600 },
  );
  // Both outcomes must occur often enough.
  expect(sound).toBeGreaterThan(30);
  expect(said.size).toBeGreaterThan(20);
});

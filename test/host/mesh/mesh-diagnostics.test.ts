/** A bad mesh gets all its diagnostics at once, in the order of the lines. */
import { expect, test } from 'vitest';
import { diagnosticsOf } from './mesh-files.ts';

const vm = (name: string, ...lines: readonly string[]): string =>
  [`[vm.${name}]`, 'config = "a.cfg"', ...lines, ''].join('\n');

const netOf = (...lines: readonly string[]): string => `[net]\nvm = "net"\n${vm('net', ...lines)}`;

const mesh = (...parts: readonly string[]): string => parts.join('');

type Files = Readonly<Record<string, string>>;

const cases: readonly (readonly [string, string, readonly string[], Files?])[] = [
  [
    'names that are not VMs of the mesh are reported',
    mesh(
      '[net]\nvm = "nat"\n',
      vm('"a b"') + vm('dom0'),
      vm(
        'a',
        'serve = ["x"]',
        'connect = [',
        '  "a\\u001b", # and',
        '  "*",',
        '  "y"]',
        'needs = ["Domain-0"]',
      ),
      vm('b', 'relay = "z"'),
    ),
    [
      'mesh.toml:2:1: there is no VM "nat"; add it to mesh.toml or correct the name',
      'mesh.toml:3:1: "a b" is not a valid VM name; use up to 63 of A-Z a-z 0-9 _ -, neither _ nor - first',
      'mesh.toml:5:1: dom0 cannot be a VM of a mesh; remove it',
      'mesh.toml:9:10: there is no VM "x"; add it to mesh.toml or correct the name',
      'mesh.toml:11:3: there is no VM "a\\u{1b}"; add it to mesh.toml or correct the name',
      'mesh.toml:12:3: there is no VM "*"; add it to mesh.toml or correct the name',
      'mesh.toml:13:3: there is no VM "y"; add it to mesh.toml or correct the name',
      'mesh.toml:14:10: Domain-0 cannot be a VM of a mesh; remove it',
      'mesh.toml:17:1: there is no VM "z"; add it to mesh.toml or correct the name',
    ],
  ],
  [
    'a name that xl takes for a domid is refused',
    mesh('[net]\nvm = "0"\n', vm('0'), vm('1e3', 'ip = ["10.0.0.2"]', 'needs = ["0"]')),
    ['mesh.toml:3:1: xl would read "0" as a domid; add a letter'],
  ],
  [
    'dom0 is refused as the driver domain',
    mesh('[net]\nvm = "dom0"\n', vm('a', 'ip = ["10.0.0.2"]')),
    ['mesh.toml:2:1: with vm = "dom0", dom0 would be the backend of all vifs; name a VM'],
  ],
  [
    'a forward to an unknown address and a duplicate forward are reported',
    mesh(
      netOf(),
      '[[net.forward]]\nproto = "tcp"\nport = 80\nto = "10.0.0.2"\n',
      '[[net.forward]]\nproto = "udp"\nport = 80\nto = "10.0.0.3"\n',
      '[[net.forward]]\nproto = "tcp"\nport = 80\nto = "10.0.0.2"\ntoport = 8080\n',
      vm('a', 'ip = ["10.0.0.2"]'),
    ),
    [
      'mesh.toml:12:1: no VM has the address 10.0.0.3; correct it',
      'mesh.toml:15:1: this port is already forwarded; remove one forward',
    ],
  ],
  [
    'an address without a driver domain is reported',
    vm('a', 'ip = ["10.0.0.2"]'),
    [
      "mesh.toml:3:1: without [net], dom0 would be the backend of a's vif; add [net] with vm = the driver domain",
    ],
  ],
  [
    'vif keys of the driver domain are reported',
    netOf('ip = ["10.0.0.1"]', 'mac = "00:16:3e:00:00:01"', 'profile = "internet"'),
    [
      'mesh.toml:5:1: net is the driver domain, which has no vif in a mesh; remove ip',
      'mesh.toml:6:1: net is the driver domain; remove mac',
      'mesh.toml:7:1: net is the driver domain; remove profile',
    ],
  ],
  [
    'bad and duplicate addresses are reported',
    mesh(
      '[net]\nvm = "net"\ngateway = ["10.0.5.1"]\n',
      vm('net'),
      vm('a', 'ip = ["10.0.5.2", "10.0.5.1", "10.0.5.300", "fe80::1", "127.0.0.1"]'),
      vm('b', 'ip = ["10.0.5.0/24"]'),
      vm('c', 'ip = ["10.0.6.1/24", "10.0.5.2"]'),
      vm('d', 'ip = ["fd00::0:1", "FD00::1"]'),
      vm('e', 'ip = ["fd00::/64"]'),
    ),
    [
      'mesh.toml:8:19: 10.0.5.1 is taken: line 3 gives 10.0.5.1 to the gateway; choose another',
      'mesh.toml:8:31: "10.0.5.300" is not an IP address or prefix; correct it',
      'mesh.toml:8:45: fe80::1 is in fe80::/10, which no VM may use; choose another',
      'mesh.toml:8:56: 127.0.0.1 is in 127.0.0.0/8, which no VM may use; choose another',
      'mesh.toml:11:7: 10.0.5.0/24 is taken: line 3 gives 10.0.5.1 to the gateway; choose another',
      'mesh.toml:14:7: "10.0.6.1/24" has host bits set: write 10.0.6.1 or 10.0.6.0/24; correct it',
      'mesh.toml:14:22: 10.0.5.2 is taken: line 8 gives 10.0.5.2 to a; choose another',
      'mesh.toml:17:20: fd00::1 is taken: line 17 gives fd00::1 to d; choose another',
      'mesh.toml:20:7: fd00::/64 is taken: line 17 gives fd00::1 to d; choose another',
    ],
  ],
  [
    'bad and duplicate MACs are reported',
    mesh(
      netOf(),
      vm('a', 'ip = ["10.0.0.1"]', 'mac = "00:16:3e:00:00:01"'),
      vm('b', 'ip = ["10.0.0.2"]', 'mac = "00:16:3E:00:00:01"'),
      vm('c', 'ip = ["10.0.0.3"]', 'mac = "01:16:3e:00:00:01"'),
      vm('d', 'ip = ["10.0.0.4"]', 'mac = "00-16-3e-00-00-01"'),
      vm('e', 'mac = "00:16:3e:00:00:05"'),
    ),
    [
      'mesh.toml:12:1: 00:16:3e:00:00:01 is taken: line 8 gives 00:16:3e:00:00:01 to a; choose another',
      'mesh.toml:16:1: "01:16:3e:00:00:01" is not a unicast MAC; write it like "00:16:3e:05:00:01"',
      'mesh.toml:20:1: "00-16-3e-00-00-01" is not a unicast MAC; write it like "00:16:3e:05:00:01"',
      'mesh.toml:23:1: e has no ip, and so no vif; remove mac',
    ],
  ],
  [
    'links that only one end names are reported',
    mesh(
      vm('a', 'serve = ["b", "a"]'),
      vm('b', 'connect = ["c", "b"]'),
      vm('c', 'serve = ["d"]', 'connect = ["d", "e"]'),
      vm('d', 'serve = ["*"]', 'connect = ["c"]'),
      vm('e', 'serve = ["*"]'),
    ),
    [
      'mesh.toml:3:10: a serves b, which does not connect to it; add "a" to connect in [vm.b]',
      'mesh.toml:3:15: a VM does not serve itself; remove it',
      'mesh.toml:6:12: b connects to c, which does not serve it; add "b" to serve in [vm.c]',
      'mesh.toml:6:17: a VM does not connect to itself; remove it',
      'mesh.toml:14:12: c and d serve each other, but one link carries calls in both directions; remove one direction',
    ],
  ],
  [
    'circular needs are reported',
    mesh(
      netOf(),
      vm('a', 'needs = ["b"]'),
      vm('b', 'needs = ["net", "c"]'),
      vm('c', 'needs = ["a"]'),
      vm('d', 'needs = ["d"]'),
      vm('e', 'needs = ["a", "d"]'),
    ),
    [
      'mesh.toml:13:10: a -> b -> c -> a: each needs the next, so none can start; remove one of these needs',
      'mesh.toml:16:10: d -> d: each needs the next, so none can start; remove one of these needs',
    ],
  ],
  [
    'circular needs through a vif are reported',
    mesh(netOf('needs = ["a"]'), vm('a', 'needs = ["b"]'), vm('b', 'ip = ["10.0.0.2"]')),
    [
      'mesh.toml:5:10: a -> b -> net -> a: each needs the next, so none can start; remove one of these needs',
    ],
  ],
  [
    'needs of the driver domain are reported',
    mesh(netOf('needs = ["a"]'), vm('a')),
    [
      'mesh.toml:5:10: the driver domain net starts first, and so cannot need another VM; remove it',
    ],
  ],
];

for (const [name, text, expected, files] of cases) {
  test(name, async () => {
    expect(await diagnosticsOf({ 'a.cfg': 'type="pv"\n', ...files, 'mesh.toml': text })).toEqual(
      expected,
    );
  });
}

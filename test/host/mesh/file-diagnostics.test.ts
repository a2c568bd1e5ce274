/** Diagnostics for bad files that a mesh names, and for command lines that xl or the kernel would reject. */
import { expect, test } from 'vitest';
import { diagnosticsOf } from './mesh-files.ts';

const vm = (name: string, ...lines: readonly string[]): string =>
  [`[vm.${name}]`, 'config = "a.cfg"', ...lines, ''].join('\n');

const netOf = (...lines: readonly string[]): string => `[net]\nvm = "net"\n${vm('net', ...lines)}`;

const mesh = (...parts: readonly string[]): string => parts.join('');

const times = (count: number): string[] => Array.from({ length: count }, (_, at) => `c${at}`);

type Files = Readonly<Record<string, string>>;

const cases: readonly (readonly [string, string, readonly string[], Files?])[] = [
  [
    'bad network policies are reported',
    mesh(
      netOf(),
      vm('a', 'ip = ["10.0.0.1"]', 'profile = "inet"'),
      vm('b', 'ip = ["10.0.0.2"]', 'profile = "internet"', 'rules = "r1.toml"'),
      vm('c', 'rules = "r1.toml"'),
      vm('d', 'ip = ["10.0.0.4"]', 'rules = "none.toml"'),
      vm('e', 'ip = ["10.0.0.5"]', 'rules = "r2.toml"'),
      vm('f', 'ip = ["10.0.0.6"]', 'rules = "r3.toml"'),
      vm('g', 'ip = ["10.0.0.7"]', 'rules = "r4.toml"'),
    ),
    [
      'mesh.toml:8:1: unknown profile "inet"; known profiles: dns-only, internet, isolated, lan-only',
      'mesh.toml:13:1: b has both profile and rules; remove one; if you need both, set profile in the rules file',
      'mesh.toml:16:1: c has no ip, and so no vif; remove rules',
      'mesh.toml:20:1: none.toml does not exist; correct the name, or create the file',
      'r2.toml:1:1: unknown profile "x"; known profiles: dns-only, internet, isolated, lan-only',
      'r2.toml:4:15: there is no VM "zz"; add it to mesh.toml or correct the name',
      'r2.toml:8:1: there is no VM "yy"; add it to mesh.toml or correct the name',
      'r3.toml:3:1: rule.action: Invalid type: Expected ("accept" | "drop") but received "acept"; correct it',
      'r4.toml:1:11: Invalid TOML document: invalid value; correct it',
    ],
    {
      'r1.toml': '',
      'r2.toml': [
        'profile = "x"\n[[rule]]\naction = "accept"\ndstvm = ["a", "zz"]',
        '[[rule]]\naction = "drop"\ndirection = "in"\nsrcvm = "yy"',
      ].join('\n'),
      'r3.toml': '\n[[rule]]\naction = "acept"\n',
      'r4.toml': 'profile = internet',
    },
  ],
  [
    'bad xl configurations are reported',
    mesh(
      '[vm.a]\nconfig = "x.cfg"\n[vm.b]\nconfig = "none.cfg"\n[vm.c]\nconfig = "y.cfg"\n',
      '[vm.d]\nconfig = "x.cfg"\n[vm.e]\nconfig = "z.cfg"\n[vm.f]\nconfig = "latin1.cfg"\n',
    ),
    [
      'mesh.toml:4:1: none.cfg does not exist; correct the name, or create the file',
      'latin1.cfg:1:10: xl cannot read the text from "\\r" on; correct it',
      'x.cfg:1:1: the mesh adds the name; remove it',
      'x.cfg:1:13: the mesh adds extra; move it to mesh.toml',
      'x.cfg:3:1: only the mesh adds vifs, so that dom0 is never the backend; remove vif, and set ip in mesh.toml',
      'x.cfg:4:2: only the mesh adds vifs, so that dom0 is never the backend; remove vif2, and set ip in mesh.toml',
      'x.cfg:5:1: cmdline makes xl ignore extra, which the mesh adds; move it to extra in mesh.toml',
      'x.cfg:6:1: the mesh adds driver_domain where it belongs; remove it',
      'y.cfg:2:6: this list is not closed; correct it',
      'z.cfg:2:1: the mesh adds extra; move it to mesh.toml',
      'z.cfg:2:7: xl cannot read the text from "\\"" on; correct it',
    ],
    {
      'x.cfg': [
        'name = "x"; extra="y"\n# vif = []\nvif = [ "bridge=xenbr0" ]\n vif2+=[]',
        "cmdline='x vif=1'\ndriver_domain=1\ndisk=[ 'vif=1',\nvif = 'x' ]\n",
      ].join('\n'),
      'y.cfg': 'memory=1\ndisk=[ "a",\n',
      'z.cfg': 'memory=1\nextra="a\n',
      'latin1.cfg': 'type="pv"\r\n',
    },
  ],
  [
    'rules of the central policy without a VM or a link are reported',
    mesh('policy = "p"\n', vm('a'), vm('b'), vm('c', 'serve = ["*"]')),
    [
      'p/1.policy:1:5: a has no link with b, and they do not share a relay; add serve and connect to mesh.toml, or remove the rule',
      'p/1.policy:2:5: there is no VM "x"; add it to mesh.toml or correct the name',
      'p/1.policy:3:12: Domain-0 cannot be a VM of a mesh; remove it',
      'p/1.policy:7:5: a has no link with b, and they do not share a relay; add serve and connect to mesh.toml, or remove the rule',
      'p/1.policy:9:5: c has no link with a, and they do not share a relay; add serve and connect to mesh.toml, or remove the rule',
      'p/i/f:2:3: there is no VM "q"; add it to mesh.toml or correct the name',
      'p/i/f:3:1: b has no link with a, and they do not share a relay; add serve and connect to mesh.toml, or remove the rule',
    ],
    {
      'p/1.policy': [
        's * a b allow\ns * x b deny\ns * @anyvm Domain-0 deny\ns * dom0 b deny',
        '!include-service t * i/f\ns * a b allow target=c\ns * a b allow target=b\ns * a c allow\ns * c a allow',
      ].join('\n'),
      'p/i/f': 'b c allow,user=root\n  q $anyvm deny\nb a allow,user=root\n',
    },
  ],
  [
    'a rule that refuses the only relay is reported',
    mesh(
      'policy = "p"\n',
      vm('r', 'serve = ["a", "b"]'),
      ...['a', 'b'].map((name) => vm(name, 'connect = ["r"]', 'relay = "r"')),
    ),
    [
      'p/1.policy:2:5: a has no link with b, and relayed=no excludes a relay; add serve and connect to mesh.toml, or remove the rule',
    ],
    { 'p/1.policy': 's * a b allow\nt * a b allow relayed=no\ns * a r allow relayed=no\n' },
  ],
  [
    "a rule that is too long for a VM's policy file is reported",
    mesh('policy = "p"\n', vm('a')),
    ['p/f:2:1: the rule is too long for one line; use shorter names'],
    {
      'p/1.policy': `!include-service ${'s'.repeat(4000)} * f`,
      'p/f': `* a deny\n@tag:${'t'.repeat(100)} a allow\n`,
    },
  ],
  [
    'syntax errors in the central policy are reported',
    mesh('policy = "p"\n', vm('a')),
    [
      'p/1.policy:1:7: there is no VM "b"; add it to mesh.toml or correct the name',
      'p/1.policy:2:1: fields are missing: a rule is "service argument source destination action"; correct it',
      'p/1.policy:3:10: no does not exist; correct it',
      'p/B.policy:1:1: "B.policy" is not a valid file name: use only 0-9, a-z, "_", "." and "-"; correct it',
    ],
    {
      'p/1.policy': 's * a b allow\nx\n!include no\n',
      'p/B.policy': '',
    },
  ],
  [
    'a missing policy directory is reported',
    mesh('policy = "p"\n', vm('a')),
    ['mesh.toml:1:1: p does not exist; create the directory'],
  ],
  [
    'conflicting relays are reported',
    mesh(
      vm('r', 'serve = ["a"]', 'relay = "a"'),
      vm('a', 'connect = ["r"]', 'relay = "q"'),
      vm('q', 'relay = "q"'),
      vm('b', 'relay = "r"'),
    ),
    [
      'mesh.toml:4:1: a itself uses the relay q, but a call passes only one relay; set q here, or remove relay from [vm.a]',
      'mesh.toml:8:1: a has no link with its relay q; add serve to one of them and connect to the other',
      'mesh.toml:14:1: r itself uses the relay a, but a call passes only one relay; set a here, or remove relay from [vm.r]',
    ],
  ],
  [
    "kernel parameters that belong to the mesh are refused in 'extra'",
    mesh(
      ...['serve', 'connect', 'relay', 'policy'].map((word) =>
        vm(word, `extra = "quiet ipc_${word}=b"`),
      ),
    ),
    [
      'mesh.toml:3:1: the mesh adds ipc_serve=; remove it, and use serve, connect and relay',
      'mesh.toml:6:1: the mesh adds ipc_connect=; remove it, and use serve, connect and relay',
      'mesh.toml:9:1: the mesh adds ipc_relay=; remove it, and use serve, connect and relay',
      'mesh.toml:12:1: the mesh adds ipc_policy=; remove it, and use serve, connect and relay',
    ],
  ],
  [
    'characters that xl cannot quote are refused',
    mesh(
      vm('a', `extra = 'a"b'`),
      vm('b', 'extra = "a\\nb"'),
      vm('c', "extra = 'a\\b'"),
      vm('d', 'extra = "\u{1f600}"'),
    ),
    [
      `mesh.toml:3:1: extra must be printable ASCII without quotes and backslashes; remove U+0022`,
      `mesh.toml:6:1: extra must be printable ASCII without quotes and backslashes; remove U+000A`,
      `mesh.toml:9:1: extra must be printable ASCII without quotes and backslashes; remove U+005C`,
      `mesh.toml:12:1: extra must be printable ASCII without quotes and backslashes; remove U+1F600`,
    ],
  ],
  [
    'a kernel command line above 1023 bytes is refused',
    mesh(
      vm('a', `extra = "${'x'.repeat(1024)}"`),
      vm('b', `extra = "${'x'.repeat(1023)}"`),
      `[vm.c]\nconfig = "root.cfg"\nextra = "${'x'.repeat(1014)}"\n`,
      `[vm.d]\nconfig = "root.cfg"\nextra = "${'x'.repeat(1013)}"\n`,
    ),
    [
      `mesh.toml:3:1: the kernel command line is 1024 bytes with the mesh's words, but only 1023 fit; shorten extra, or set serve = ["*"]`,
      `mesh.toml:9:1: the kernel command line is 1024 bytes with the mesh's words, but only 1023 fit; shorten extra, or set serve = ["*"]`,
    ],
    { 'root.cfg': 'root="/dev"\n' },
  ],
  [
    'more link pages than the grant limit are a warning',
    mesh(
      vm('s', `serve = [${times(31).map((name) => `"${name}"`)}]`),
      vm(
        't',
        'extra = "xen_gntalloc.limit=1054"',
        `serve = [${times(31).map((name) => `"${name}"`)}]`,
      ),
      ...times(31).map((name) => vm(name, 'connect = ["s", "t"]')),
    ),
    [
      'mesh.toml:3:1: warning: s serves 31 links, which need 1054 granted pages, but its limit is 1024; add xen_gntalloc.limit=1054 to its extra',
    ],
  ],
  [
    'the last of several grant limits counts, as for the kernel',
    mesh(
      vm('s', 'extra = "xen_gntalloc.limit=34 xen_gntalloc.limit=68"', 'serve = ["c0", "c1"]'),
      vm('t', 'extra = "xen_gntalloc.limit=68 xen_gntalloc.limit=34"', 'serve = ["c0", "c1"]'),
      ...times(2).map((name) => vm(name, 'connect = ["s", "t"]')),
    ),
    [
      'mesh.toml:8:1: warning: t serves 2 links, which need 68 granted pages, but its limit is 34; add xen_gntalloc.limit=68 to its extra',
    ],
  ],
  [
    'a correct mesh has no diagnostics',
    mesh(
      netOf('serve = ["*"]', 'relay = "net"'),
      vm(
        'a',
        'ip = ["10.0.0.1", "10.1.0.0/16"]',
        'connect = ["net", "b"]',
        'needs = ["b"]',
        'relay = "net"',
      ),
      vm('b', 'serve = ["a"]'),
    ),
    [],
  ],
];

for (const [name, text, expected, files] of cases) {
  test(name, async () => {
    expect(await diagnosticsOf({ 'a.cfg': 'type="pv"\n', ...files, 'mesh.toml': text })).toEqual(
      expected,
    );
  });
}

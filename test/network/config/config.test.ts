import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, parseConfig } from '../../../src/network/config/config.ts';
import { directoryWith } from '../../support/directory.ts';

const failure = (text: string): string => {
  try {
    parseConfig('v.toml', text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    return (error as Error).message;
  }
  throw new Error('accepted');
};

test('every option has a default, also without a file', async () => {
  const none = {
    uplinks: undefined,
    gateways: [],
    masquerade: false,
    forwards: [],
    mssClamp: false,
    shares: {
      flows: 8_192,
      newFlows: 500,
      fragments: 2_000,
      neighbours: 20,
      icmpErrors: 50,
    },
    allowed: new Map(),
  };
  expect(parseConfig('v.toml', '')).toEqual(none);
  expect(await loadConfig('/nonexistent/vifwatch.toml')).toEqual(none);
});

test('a full file gives all its values', () => {
  const config = parseConfig(
    'v.toml',
    `
uplink = ["eth0", "wwan0"]
gateway = ["10.0.5.1", "FD00:5::1"]
masquerade = true
mss_clamp = true
[share]
flows = 100
new_flows = 5
[[forward]]
proto = "tcp"
port = 80
to = "10.0.5.7"
[[forward]]
proto = "udp"
port = 80
to = "10.0.5.7"
toport = 8080
[[vm]]
name = "web"
addresses = ["10.0.7.0/24", "fd00:7::/64"]
`,
  );
  expect(config.uplinks).toEqual(['eth0', 'wwan0']);
  expect(config.gateways.map(({ text }) => text)).toEqual(['10.0.5.1', 'fd00:5::1']);
  expect(config.masquerade).toBe(true);
  expect(config.forwards).toMatchObject([
    { proto: 'tcp', port: 80, to: { text: '10.0.5.7' }, toPort: 80 },
    { proto: 'udp', port: 80, to: { text: '10.0.5.7' }, toPort: 8080 },
  ]);
  expect(config.mssClamp).toBe(true);
  expect(config.shares).toMatchObject({ flows: 100, newFlows: 5, fragments: 2_000 });
  expect(config.allowed.get('web')?.map(({ text }) => text)).toEqual([
    '10.0.7.0/24',
    'fd00:7::/64',
  ]);
});

test('a link-local gateway is accepted', () => {
  const { gateways } = parseConfig('v.toml', 'gateway = ["169.254.1.1", "fe80::1"]');
  expect(gateways.map(({ text }) => text)).toEqual(['169.254.1.1', 'fe80::1']);
});

test('a syntax error has file, line, column and a caret', () => {
  const message = failure('uplink = ["eth0"]\ngateway = [10.0.5.1]\n');
  expect(message).toMatch(/^v\.toml:2:\d+: /);
  expect(message).toContain('2:  gateway = [10.0.5.1]');
  expect(message).toMatch(/\n +\^/);
});

test.each([
  ['uplinks = ["eth0"]', 'v.toml:1:1: unknown key "uplinks"'],
  ['uplink = "eth0"', 'v.toml:1:1: uplink: '],
  ['\nuplink = ["vif3.0"]', 'v.toml:2:11: uplink: an uplink is neither lo nor a vif'],
  // The mesh compiler would write this name in a form that TOML does not accept.
  ['uplink = ["eth\\u007f"]', 'v.toml:1:11: uplink: not an interface name'],
  ['uplink = ["eth 0"]', 'v.toml:1:11: uplink: not an interface name'],
  ['uplink = []', 'v.toml:1:1: uplink: is empty'],
  ['[share]\nflows = 0', 'v.toml:2:1: share.flows: '],
  ['[share]\nflow = 9', 'v.toml:2:1: unknown key "share.flow"'],
  ['gateway = ["127.0.0.1"]', 'v.toml:1:12: gateway: guests cannot use this address'],
  ['gateway = ["ff02::1"]', 'v.toml:1:12: gateway: guests cannot use this address'],
  [
    '[[vm]]\nname = "a"\naddresses = ["10.0.7.0/24"]\n[[vm]]\nname = "b"\naddresses = ["fd00::1", "10.0.7.9"]',
    'v.toml:6:25: 10.0.7.9 overlaps 10.0.7.0/24 of the [[vm]] "a"',
  ],
  ['gateway = ["10.0.5.1", "10.0.5.0/24"]', 'v.toml:1:24: gateway: a gateway is one address'],
  ['gateway = ["10.0.5.1/24"]', 'v.toml:1:12: gateway: "10.0.5.1/24" has host bits set'],
  ['[[vm]]\nname = "a"\n', 'v.toml:1:1: vm.addresses: '],
  [
    '[[vm]]\nname = "a"\naddresses = []\n[[vm]]\nname = "b"\n  addresses = ["x"]',
    'v.toml:6:16: vm.addresses: "x" is not an IP address or prefix',
  ],
  [
    '[[vm]]\nname = "a"\naddresses = []\n[[vm]]\nname = "a"\naddresses = []',
    'v.toml:5:1: an earlier [[vm]] has the name "a"',
  ],
])('%j is refused: %s', (text, expected) => {
  const message = failure(text);
  expect(message.slice(0, expected.length)).toBe(expected);
  expect(message).toMatch(/\n\d+: {2}.*\n +\^$/);
});

test('a file that cannot be read is an error, not a default', async () => {
  const directory = directoryWith({ 'v.toml': 'uplink = ["eth0"]' });
  await expect(loadConfig(directory)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  await expect(loadConfig(join(directory, 'v.toml'))).resolves.toMatchObject({ uplinks: ['eth0'] });
});

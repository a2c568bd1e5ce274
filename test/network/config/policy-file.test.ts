import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { loadPolicies } from '../../../src/network/config/policies.ts';
import { parsePolicyFile } from '../../../src/network/config/policy-file.ts';
import { profileDirectory } from '../../../src/package.ts';
import { directoryWith } from '../../support/directory.ts';

const rule = (...lines: readonly string[]): string =>
  ['[[rule]]', 'action = "accept"', ...lines].join('\n');

const failure = (text: string): string => {
  try {
    parsePolicyFile('web.toml', text);
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' });
    return (error as Error).message.split('\n', 1)[0] ?? '';
  }
  throw new Error('accepted');
};

test('a rule with every key is parsed', () => {
  const { profile, rules } = parsePolicyFile(
    'web.toml',
    `profile = "internet"
[[rule]]
action = "drop"
direction = "in"
src4 = ["192.0.2.0/24", "192.0.2.7"]
src6 = "2001:db8::/32"
proto = "tcp"
dstports = [22, "1000-2000"]
limit = "10/minute"
log = true
expire = 1800000000
comment = "until the move"
`,
  );
  expect(profile).toBe('internet');
  expect(rules).toMatchObject([
    {
      action: 'drop',
      direction: 'in',
      log: true,
      expire: 1_800_000_000,
      peer: {
        kind: 'networks',
        prefixes: [{ text: '192.0.2.0/24' }, { text: '192.0.2.7' }, { text: '2001:db8::/32' }],
      },
      service: {
        kind: 'tcp',
        ports: [
          { from: 22, to: 22 },
          { from: 1000, to: 2000 },
        ],
      },
      limit: { count: 10, per: 'minute' },
      comment: 'until the move',
    },
  ]);
});

// A rule that says less than its author meant would let more through.
test.each([
  ['an unknown key', rule('dst = "10.0.0.1"'), /web\.toml:3:1: unknown key "rule\.dst"/],
  ['an empty list of addresses', rule('dst4 = []'), /web\.toml:3:1: rule\.dst4: is empty/],
  ['an empty list of ports', rule('proto = "tcp"', 'dstports = []'), /dstports: is empty/],
  ['IPv6 where IPv4 is meant', rule('dst4 = "fd00::1"'), /not an IPv4 address or network/],
  ['host bits', rule('dst4 = "10.0.0.1/8"'), /has host bits set/],
  ['a port too large', rule('proto = "udp"', 'dstports = 65536'), /not a port/],
  ['a reversed range', rule('proto = "udp"', 'dstports = "9-8"'), /not a port/],
  ['ports without a protocol', rule('dstports = 80'), /dstports: needs proto/],
  ['an ICMP type without ICMP', rule('icmptype = 8', 'proto = "tcp"'), /icmptype: needs proto/],
  ['a source in a rule for outgoing packets', rule('src4 = "10.0.0.1"'), /only/],
  ['a target in a rule for incoming packets', rule('direction = "in"', 'dstvm = "db"'), /only/],
  ['two kinds of peers', rule('dst4 = "10.0.0.1"', 'dstvm = "db"'), /cannot be combined with/],
  ['an unknown rate', rule('limit = "10/day"'), /limit: not a rate/],
  ['an invalid DNS name', rule('dsthost = "a b"'), /dsthost: not a DNS name/],
  ['a character that would end a comment', rule("comment = 'a\"b'"), /comment/],
  ['no action', '[[rule]]', /rule\.action/],
  ['a file that is not TOML', 'profile = internet', /web\.toml:1:/],
])('refused: %s', (_, text, message) => {
  expect(failure(text)).toMatch(message);
});

test('every profile in rules/ is valid', async () => {
  const names = readdirSync(profileDirectory)
    .filter((file) => file.endsWith('.toml'))
    .map((file) => basename(file, '.toml'));
  expect(names).toContain('internet');
  const directory = directoryWith(
    Object.fromEntries(names.map((name) => [`${name}.toml`, `profile = "${name}"`])),
  );
  const { policies } = await loadPolicies(directory);
  expect([...policies.keys()].sort()).toEqual([...names].sort());
  for (const policy of policies.values()) expect(policy).toHaveProperty('rules');
});

test('a bad file, an unknown profile, and two files for one address are separate problems', async () => {
  const directory = directoryWith({
    'bad.toml': 'x',
    'web.toml': 'profile = "nowhere"',
    'fd00::1.toml': '',
    'FD00:0::1.toml': '',
    'good.toml': '',
    '.good.toml.swp': 'x',
  });
  const { policies } = await loadPolicies(directory);
  expect(Object.fromEntries(policies)).toMatchObject({
    bad: { code: 'POLICY_INVALID' },
    web: {
      code: 'POLICY_INVALID',
      text: expect.stringMatching(/"nowhere"; known profiles: dns-only/),
    },
    'fd00::1': {
      code: 'POLICY_INVALID',
      text: expect.stringMatching(/an earlier file is also for/),
    },
    good: { key: 'good', rules: [] },
  });
  expect(policies.size).toBe(4);
});

test('a file that is being written changes nothing, and closes its VM if nothing is known yet', async () => {
  const directory = directoryWith({ 'web.toml': 'profile = "isolated"' });
  const isWritten = () => true;
  const first = await loadPolicies(directory, undefined, isWritten);
  expect(first.policies.get('web')).toMatchObject({
    code: 'POLICY_INVALID',
    text: expect.stringContaining('web.toml: a program is writing it'),
  });
  const known = await loadPolicies(directory, first);
  writeFileSync(join(directory, 'web.toml'), '');
  writeFileSync(join(directory, 'new.toml'), '');
  const later = await loadPolicies(directory, known, isWritten);
  expect([...later.policies]).toEqual([['web', known.policies.get('web')]]);
  expect(later.unsettled).toEqual(['new.toml', 'web.toml'].map((file) => join(directory, file)));
});

test('a file that vanishes while the files are read is absent, and a directory that vanishes is an error', async () => {
  const directory = directoryWith({ 'a.toml': '', 'z.toml': '' });
  const before = await loadPolicies(directory);
  const vanishing = () => {
    rmSync(join(directory, 'z.toml'), { force: true });
    return false;
  };
  const { policies } = await loadPolicies(directory, before, vanishing);
  expect([...policies.keys()]).toEqual(['a']);
  rmSync(directory, { recursive: true });
  await expect(loadPolicies(directory, before)).rejects.toThrow('cannot be read');
  mkdirSync(directory);
});

test('a missing directory means no policies', async () => {
  const { policies, fallback } = await loadPolicies('/nonexistent');
  expect(policies.size).toBe(0);
  expect(fallback.key).toBe('internet');
});

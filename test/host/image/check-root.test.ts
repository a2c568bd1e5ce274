/** `vifwatch check --root` on a complete root file system, and on broken ones. */
import { mkdirSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { rounds } from './breaks.ts';
import { copyRoot, makeRoot, release, replace, vifwatch } from './root.ts';

let whole: string;
beforeAll(async () => {
  whole = await makeRoot();
});

const failures = (lines: readonly string[]) => lines.filter((line) => !line.startsWith('ok    '));

test('a complete root gets a line for each check and exit status 0', async () => {
  const { status, lines } = await vifwatch(['check', '--root', whole]);
  expect(lines.map((line) => line.split(':', 1)[0])).toEqual(
    [
      ...['node', 'ip', 'nft', 'conntrack', 'vifwatch', 'package', 'addon'],
      ...[`modules of ${release}`, 'service', 'config', 'policies', 'owners'],
    ].map((name) => `ok    ${name}`),
  );
  expect(status).toBe(0);
});

test('the check for an agent looks only at what an agent needs', async () => {
  const { status, lines } = await vifwatch(['agent', 'check', '--root', whole]);
  expect(lines.map((line) => line.split(':', 1)[0])).toEqual(
    [
      ...['node', 'vifwatch', 'package', 'addon', `modules of ${release}`, 'service'],
      ...['config', 'policy', 'owners'],
    ].map((name) => `ok    ${name}`),
  );
  expect(status).toBe(0);
});

test('the call policy is checked with the files that it includes', async () => {
  const root = await copyRoot(whole, 'policy');
  const look = async (text: string): Promise<string | undefined> => {
    replace(`${root}/etc/vifwatch/policy.d/1.policy`, text, 0o644);
    const { lines } = await vifwatch(['agent', 'check', '--root', root]);
    return lines.find((line) => line.includes(' policy: '));
  };
  mkdirSync(`${root}/etc/vifwatch/policy.d`);
  expect(await look('* * a b allow\n')).toBe('ok    policy: 1 rules in 1 files');
  expect(await look('* * a b\n')).toMatch(/^FAIL {2}policy: 1\.policy:1:1: fields are missing/);
  expect(await look('!include /etc/hostname\n')).toMatch(
    /^FAIL {2}policy: it includes files of \/etc, which only the VM itself can read$/,
  );
});

test('a user who may not chroot gets a failure for each check that was skipped', async () => {
  const { status, lines } = await vifwatch(['check', '--root', whole], 65_534);
  const failed = failures(lines).map((line) =>
    line.replace(/^FAIL {2}(\w+): .*--map-root-user"$/, '$1'),
  );
  expect(failed).toEqual(['node', 'ip', 'nft', 'conntrack', 'vifwatch', 'addon']);
  expect(status).toBe(1);
});

test('a root that is not a directory fails the check', async () => {
  const { status, lines } = await vifwatch(['check', '--root', '/etc/passwd']);
  expect(lines).toEqual(['FAIL  root: /etc/passwd is not a directory']);
  expect(status).toBe(1);
});

const numbered = rounds.map((round, at) => ({ round, number: at + 1 }));

test.each(numbered)(
  'the check reports each broken part and nothing else: round $number',
  async ({ round, number }) => {
    const root = await copyRoot(whole, `${number}`);
    for (const { by } of Object.values(round)) by(root);
    const { status, lines, stderr } = await vifwatch(['check', '--root', root]);
    expect(stderr).toBe('');
    const failed = failures(lines);
    const all = Object.entries(round).flatMap(([name, { says }]) =>
      says.map((said) => ({ name, said })),
    );
    for (const { name, said } of all)
      expect([name, ...failed.filter((line) => said.test(line))]).toHaveLength(2);
    expect(failed).toHaveLength(all.length);
    expect(status).toBe(1);
  },
);

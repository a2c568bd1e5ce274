/** `vifwatch check --root`: a whole root file system, and what it says of each that is broken. */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { breaks } from './breaks.ts';
import { copyRoot, makeRoot, release, replace, vifwatch } from './root.ts';

let whole: string;
beforeAll(async () => {
  whole = await makeRoot();
});
afterAll(() => rmSync(whole, { recursive: true }));

const failures = (lines: readonly string[]) => lines.filter((line) => !line.startsWith('ok    '));

test('one that has everything: a line for each thing, exit status 0', async () => {
  const { status, lines } = await vifwatch(['check', '--root', whole]);
  expect(lines.map((line) => line.split(':', 1)[0])).toEqual(
    [
      ...['node', 'ip', 'nft', 'conntrack', 'vifwatch', 'package', 'addon'],
      ...[`modules of ${release}`, 'service', 'config', 'policies', 'owners'],
    ].map((name) => `ok    ${name}`),
  );
  expect(status).toBe(0);
});

test('what an agent needs is less', async () => {
  const { status, lines } = await vifwatch(['agent', 'check', '--root', whole]);
  expect(lines.map((line) => line.split(':', 1)[0])).toEqual(
    [
      ...['node', 'vifwatch', 'package', 'addon', `modules of ${release}`, 'service'],
      ...['config', 'policy', 'owners'],
    ].map((name) => `ok    ${name}`),
  );
  expect(status).toBe(0);
});

test('a policy of calls counts as a whole, with what it includes', async () => {
  const root = await copyRoot(whole, 'policy');
  const look = async (text: string): Promise<string | undefined> => {
    replace(`${root}/etc/vifwatch/policy.d/1.policy`, text, 0o644);
    const { lines } = await vifwatch(['agent', 'check', '--root', root]);
    return lines.find((line) => line.includes(' policy: '));
  };
  try {
    mkdirSync(`${root}/etc/vifwatch/policy.d`);
    expect(await look('* * a b allow\n')).toBe('ok    policy: 1 rules in 1 files');
    expect(await look('* * a b\n')).toMatch(/^FAIL {2}policy: 1\.policy:1:1: a rule is /);
    expect(await look('!include /etc/hostname\n')).toMatch(
      /^FAIL {2}policy: it includes what is in \/etc, which only the VM can look at$/,
    );
  } finally {
    rmSync(root, { recursive: true });
  }
});

test('who may not chroot is told what was not looked at', async () => {
  chmodSync(whole, 0o755);
  const { status, lines } = await vifwatch(['check', '--root', whole], 65_534);
  const told = failures(lines).map((line) =>
    line.replace(/^FAIL {2}(\w+): .*--map-root-user"$/, '$1'),
  );
  expect(told).toEqual(['node', 'ip', 'nft', 'conntrack', 'vifwatch', 'addon']);
  expect(status).toBe(1);
});

test('what is no directory has no root file system', async () => {
  const { status, lines } = await vifwatch(['check', '--root', '/etc/passwd']);
  expect(lines).toEqual(['FAIL  root: /etc/passwd is no directory']);
  expect(status).toBe(1);
});

test.each(Object.entries(breaks))('%s', async (name, { by, says }) => {
  const root = await copyRoot(whole, name.replaceAll(/\W/g, '-'));
  try {
    by(root);
    const { status, lines, stderr } = await vifwatch(['check', '--root', root]);
    expect(stderr).toBe('');
    const told = failures(lines);
    expect(told).toHaveLength(says.length);
    for (const [index, line] of told.entries()) expect(line).toMatch(says[index] ?? /^$/);
    expect(status).toBe(1);
  } finally {
    rmSync(root, { recursive: true });
  }
});

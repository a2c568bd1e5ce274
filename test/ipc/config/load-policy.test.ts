/**
 * A policy directory is read: its files, their order and their includes. A policy that changes while it is
 * read is invalid.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadPolicy } from '../../../src/ipc/config/load-policy.ts';
import { decideCall } from '../../../src/ipc/policy/decide-call.ts';
import { placeText } from '../../../src/text/diagnostic.ts';
import { directoryWith } from '../../support/directory.ts';

const places = async (directory: string): Promise<string[]> =>
  (await loadPolicy(directory)).rules.map(({ place }) => place);

const diagnosticsOf = async (directory: string): Promise<string[]> => {
  const { policy } = await loadPolicy(directory);
  return policy.kind === 'invalid'
    ? policy.diagnostics.map(({ place, text }) => `${placeText(place)}: ${text}`)
    : [];
};

const rule = 's * a b allow\n';

describe('files', () => {
  test('are read in the order of their names, and files with other names are ignored', async () => {
    const directory = directoryWith({
      '30-b.policy': rule,
      '10-z.policy': `# first\n${rule}`,
      '9.policy': rule,
      '.hidden.policy': 'x',
      README: 'x',
      '10.policy~': 'x',
      '10.policy.rpmnew': 'x',
      'A.POLICY': 'x',
      '.policy': 'x',
      'D.policy/inner': 'x',
      'include/a.policy': 'x',
    });
    expect(await places(directory)).toEqual(['10-z.policy:2', '30-b.policy:1', '9.policy:1']);
    expect(await diagnosticsOf(directory)).toEqual([]);
  });

  test.each(['A.policy', 'a b.policy', 'ä.policy', 'a\u001b[1m.policy', '+.policy'])(
    'the file name %j makes the whole policy invalid',
    async (name) => {
      const directory = directoryWith({ 'good.policy': rule, [name]: rule });
      const [only = '', ...more] = await diagnosticsOf(directory);
      expect(only).toMatch(/^[ -~]+: "[ -~]+" is not a valid file name/);
      expect(more).toEqual([]);
    },
  );

  test('report all their errors at once', async () => {
    const directory = directoryWith({ '1.policy': `x\n${rule}y`, '2.policy': 'z', 'B.policy': '' });
    const found = await diagnosticsOf(directory);
    expect(found.map((text) => text.split(': ', 1)[0])).toEqual([
      ...['1.policy:1:1', '1.policy:3:1', '2.policy:1:1', 'B.policy'],
    ]);
  });

  test('a missing directory means an absent policy, and a path that is not a directory an invalid one', async () => {
    const directory = directoryWith({ file: '' });
    expect((await loadPolicy(join(directory, 'none'))).policy).toEqual({ kind: 'absent' });
    expect(await diagnosticsOf(join(directory, 'file'))).toHaveLength(1);
    expect((await loadPolicy(directory)).policy).toMatchObject({ kind: 'rules' });
  });

  test('an unreadable file, a FIFO, a dangling link and a huge file are errors', async () => {
    const directory = directoryWith({ 'a.policy': rule });
    symlinkSync('nowhere', join(directory, 'b.policy'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(directory, 'c.policy')]);
    symlinkSync('/proc/self/mem', join(directory, 'd.policy'));
    writeFileSync(join(directory, 'e.policy'), '');
    truncateSync(join(directory, 'e.policy'), 2 ** 30);
    const found = await diagnosticsOf(directory);
    expect(found.map((text) => text.split(':', 1)[0])).toEqual([
      ...['b.policy', 'c.policy', 'd.policy', 'e.policy'],
    ]);
    expect(found.join()).toContain('not a regular file');
    expect(found.join()).toContain('larger than');
  });

  test('a symbolic link to a file is read like the file', async () => {
    const directory = directoryWith({ 'x/a': rule });
    symlinkSync('x/a', join(directory, 'a.policy'));
    const { rules, directories } = await loadPolicy(directory);
    expect(rules.map(({ place }) => place)).toEqual(['a.policy:1']);
    expect(directories).toContain(join(directory, 'x'));
  });
});

describe('includes', () => {
  test('put their rules in the place of the directive', async () => {
    const directory = directoryWith({
      '1.policy': `${rule}!include include/a\n${rule}!include-dir include\n`,
      '2.policy': `!include-service t +x include/old\n${rule}`,
      'include/a': rule,
      'include/b.policy': rule,
      'include/old': 'a b allow\n!include more/old\n',
      'include/more/old': 'c $anyvm deny,notify=no\n',
    });
    expect(await diagnosticsOf(directory)).toEqual([]);
    const { rules, directories } = await loadPolicy(directory);
    expect(rules.map(({ place, service }) => `${service} ${place}`)).toEqual([
      ...['s 1.policy:1', 's include/a:1', 's 1.policy:3', 's include/b.policy:1'],
      ...['t include/old:1', 't include/more/old:1', 's 2.policy:2'],
    ]);
    expect(directories.map((path) => basename(path)).slice(1)).toEqual(['include', 'more']);
  });

  test('reach files elsewhere through an absolute path', async () => {
    const other = directoryWith({ f: rule });
    const directory = directoryWith({ '1.policy': `!include ${other}/f` });
    expect(await places(directory)).toEqual([`${other}/f:1`]);
  });

  test.each([
    ['!include nope', 'nope does not exist'],
    ['!include-dir nope', 'nope does not exist'],
    ['!include .', 'not a regular file'],
    ['!include-dir 1.policy', 'cannot be read'],
    ['!include-service s * nope', 'nope does not exist'],
    ['!include 1.policy', '1.policy includes itself'],
    ['!include-dir .', '1.policy includes itself'],
    ['!include a', '1.policy includes itself'],
    ['!include link', 'link includes itself'],
    ['!include-service s * old', 'old includes itself'],
    ['!include-dir d', '"B.policy" is not a valid file name'],
  ])('%s: %s', async (directive, expected) => {
    const directory = directoryWith({
      '1.policy': `${rule}${directive}`,
      a: '!include b',
      b: '!include 1.policy',
      old: '!include old',
      'd/B.policy': '',
    });
    symlinkSync('1.policy', join(directory, 'link'));
    const [only = '', ...more] = await diagnosticsOf(directory);
    expect(only).toMatch(/^[a-z0-9.]+:\d:\d+: /);
    expect(only).toContain(expected);
    expect(more).toEqual([]);
  });

  test('can be nested 8 deep', async () => {
    const chain = (length: number) =>
      directoryWith({
        '1.policy': '!include 1',
        ...Object.fromEntries(
          Array.from({ length }, (_, at) => [String(at + 1), `!include ${at + 2}`]),
        ),
        [String(length)]: rule,
      });
    expect(await places(chain(8))).toEqual(['8:1']);
    expect(await diagnosticsOf(chain(9))).toEqual(['8:1:10: more than 8 inclusions deep']);
  });

  test('stop after 1000 when files include each other repeatedly', async () => {
    const twice = (at: number): string => `!include ${at}\n`.repeat(9);
    const names = Array.from({ length: 6 }, (_, at) => [String(at), twice(at + 1)]);
    const directory = directoryWith({
      ...Object.fromEntries(names),
      6: rule,
      'a.policy': twice(0),
    });
    expect((await diagnosticsOf(directory)).join('\n')).toMatch(
      /^\d:\d:10: more than 1000 inclusions$/,
    );
  });
});

test('a policy that changes while it is read is invalid', async () => {
  const many = Array.from({ length: 300 }, (_, at) => [`${1000 + at}.policy`, rule]);
  const directory = directoryWith(Object.fromEntries(many));
  let isLoaded = false;
  const loading = loadPolicy(directory).finally(() => {
    isLoaded = true;
  });
  while (!isLoaded) {
    appendFileSync(join(directory, '1000.policy'), '# more\n');
    await new Promise(setImmediate);
  }
  expect((await loading).policy).toEqual({
    kind: 'invalid',
    diagnostics: [
      {
        severity: 'error',
        place: { file: '1000.policy' },
        text: 'changed while it was read: read it again',
      },
    ],
  });
  expect(await diagnosticsOf(directory)).toEqual([]);
});

test('a file that is replaced while it is read is read whole, or the policy is invalid', async () => {
  const directory = directoryWith();
  mkdirSync(join(directory, 'new'));
  const version = (number: number): string => `s +${number} * * allow\n`.repeat(500);
  const replace = (number: number): void => {
    writeFileSync(join(directory, 'new/a'), version(number));
    renameSync(join(directory, 'new/a'), join(directory, 'a.policy'));
  };
  replace(0);
  let whole = 0;
  let unbelieved = 0;
  for (let round = 1; round <= 40 || unbelieved === 0; round += 1) {
    const loading = loadPolicy(directory);
    // The replacement comes earlier or later during the read, or after it.
    for (let turn = 0; turn < round % 20; turn += 1) await new Promise(setImmediate);
    replace(round);
    const { policy, rules } = await loading;
    if (policy.kind === 'rules') {
      whole += 1;
      expect(rules).toHaveLength(500);
      expect(new Set(rules.map(({ argument }) => argument)).size).toBe(1);
    } else {
      unbelieved += 1;
      expect(policy).toMatchObject({
        diagnostics: [{ text: expect.stringMatching(/^changed while/) }],
      });
    }
  }
  expect(whole).toBeGreaterThan(10);
});

test('an invalid policy denies calls that its rules allow', async () => {
  const directory = directoryWith({ '1.policy': '* * * * allow\n', '2.policy': 'oops' });
  const request = { source: 'a', self: 'b', service: 's', argument: '', relayed: false };
  const { policy } = await loadPolicy(directory);
  expect(decideCall(policy, request)).toMatchObject({ action: 'deny', reason: 'policy invalid' });
});

/**
 * The mesh reads a user's xl configuration as xl's own parser does, and xl accepts the settings that it adds.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseMac } from '../../../src/address/mac.ts';
import { type Prefix, parsePrefix } from '../../../src/address/prefix.ts';
import type { Vm } from '../../../src/host/mesh/mesh.ts';
import { parseXlConfig, xlConfigText } from '../../../src/host/mesh/xl-config.ts';
import type { VmName } from '../../../src/ipc/config/vm-name.ts';
import { directoryWith } from '../../support/directory.ts';

const directory = directoryWith();
const reader = join(directory, 'reader');
const source = new URL('xl-reader.c', import.meta.url).pathname;
execaSync('cc', ['-Wall', '-Werror', '-o', reader, source, '-lxlutil']);

/** A line for each text: "refused", or "accepted" and the settings that matter. */
const asXlReads = (texts: readonly string[]): string[] => {
  const files = texts.map((text, at) => {
    const file = join(directory, `${at}.cfg`);
    writeFileSync(file, text);
    return file;
  });
  return execaSync('xargs', ['-0', reader], { input: files.join('\0') }).stdout.split('\n');
};

const vm = (config: string, more: Partial<Vm> = {}): Vm => ({
  name: 'sa-vm' as VmName,
  level: 1,
  needs: [],
  readers: [],
  config,
  commandLine: 'quiet a=b',
  addresses: ['10.0.5.1', 'fd00::1'].map((text) => parsePrefix(text) as Prefix),
  mac: parseMac('00:16:3e:05:00:01'),
  network: undefined,
  policy: undefined,
  ...more,
});

test.each<readonly [string, Vm, string | undefined, string]>([
  [
    'all settings',
    vm('memory=1'),
    'net',
    'name=sa-vm vif=mac=00:16:3e:05:00:01,ip=10.0.5.1 fd00::1,backend=net extra=quiet a=b',
  ],
  [
    'a vif without a MAC',
    vm('\n', { mac: undefined, commandLine: '' }),
    'net',
    'name=sa-vm vif=ip=10.0.5.1 fd00::1,backend=net',
  ],
  ['no vif', vm('', { addresses: [] }), 'net', 'name=sa-vm extra=quiet a=b'],
  [
    'the driver domain',
    vm('# x', { addresses: [] }),
    'sa-vm',
    'name=sa-vm extra=quiet a=b driver_domain=1',
  ],
])('xl reads the settings that the mesh adds: %s', (_, vm, netVm, expected) => {
  expect(asXlReads([xlConfigText(vm, netVm)])).toEqual([`accepted ${expected}`]);
});

const pieces = [
  ...['name', 'vif', 'vif2', 'extra', 'cmdline', 'driver_domain', 'root', 'memory', 'Name', '_x'],
  ...[
    '=',
    '=',
    '=',
    '+=',
    '+',
    '[',
    ']',
    ',',
    ';',
    '\n',
    '\n',
    '#',
    ' ',
    '\t',
    '\r',
    '"',
    "'",
    '\\',
  ],
  ...['"a"', "'b'", '"a\\"b"', "'\\\\'", '"vif=1"', '12', '0x1f', '1g', '"#"', '# "\n', 'é', '"é"'],
];
const setting = fc.constantFrom(
  ...[
    'name="a"\n',
    'vif=["x"]\n',
    'extra="b";',
    'memory=12 ;',
    'disk=[ "a",\n "b" ]\n',
    '# vif=["x"]\n',
  ],
  ...[
    "root='/dev'\n",
    'cmdline="\\"#"\n',
    '\n',
    ' vif2 = [ ]\n',
    'disk=[["a"]]\n',
    'driver_domain += 1\n',
  ],
);
const soup = fc
  .array(fc.oneof({ weight: 3, arbitrary: setting }, fc.constantFrom(...pieces)), { maxLength: 8 })
  .map((lines) => `${lines.join('')}\n`);

const reserved = /^(?:name|vif|vif2|extra|cmdline|driver_domain)$/;

test("the mesh sees every setting of the user's, and xl reads every setting that the mesh adds", () => {
  const texts = fc.sample(soup, 2000);
  const alone = asXlReads(texts);
  const whole = asXlReads(texts.map((text) => xlConfigText(vm(text), 'net')));
  let accepted = 0;
  let clean = 0;
  for (const [at, text] of texts.entries()) {
    const { settings, syntaxError } = parseXlConfig(text);
    const line = alone[at] ?? '';
    if (line !== 'refused') {
      accepted += 1;
      expect([text, syntaxError]).toEqual([text, undefined]);
      const seen = settings.map(({ key }) => key);
      const [, ...said] = line.split(/ (?=[a-z_0-9]+=)/);
      for (const word of said) expect([text, ...seen]).toContain(word.split('=', 1)[0]);
    }
    if (syntaxError !== undefined || settings.some(({ key }) => reserved.test(key))) continue;
    clean += 1;
    if (whole[at] !== 'refused') {
      expect([text, whole[at]]).toEqual([
        text,
        expect.stringMatching(/^accepted name=sa-vm vif=mac=[^|]* extra=quiet a=b(?: root=|$)/),
      ]);
    }
  }
  // The random texts must be accepted often enough.
  expect(accepted).toBeGreaterThan(300);
  expect(clean).toBeGreaterThan(300);
});

test('a NUL in a string, on which xl would abort, is refused', () => {
  expect(parseXlConfig('a = "b\0c"\n').syntaxError).toMatchObject({ offset: 4 });
});

/** The parser accepts and refuses each construct in each place like Qubes, and names the error's place. */
import { describe, expect, test } from 'vitest';
import { placeText } from '../../../src/text/diagnostic.ts';
import { parse, rulesOf } from './policy-of.ts';

const diagnosticsOf = (text: string | Uint8Array): string[] =>
  parse(text).diagnostics.map(({ place, text: what }) => `${placeText(place)}: ${what}`);

const uuid = 'uuid:12345678-9abc-4def-8123-456789abcdef';
const dom0Uuid = 'uuid:00000000-0000-0000-0000-000000000000';

/** The places that allow each token: source, destination, and target= with default_target=. */
const tokens: readonly (readonly [
  token: string,
  source: 0 | 1,
  destination: 0 | 1,
  target: 0 | 1,
])[] = [
  ['*', 1, 1, 0],
  ['web', 1, 1, 1],
  ['Web-2_x.y', 1, 1, 1],
  ['__proto__', 1, 1, 1],
  ['constructor', 1, 1, 1],
  [uuid, 1, 1, 1],
  ['dom0', 1, 1, 1],
  ['@adminvm', 1, 1, 1],
  [dom0Uuid, 1, 1, 1],
  ['@anyvm', 1, 1, 0],
  ['@default', 0, 1, 0],
  ['@type:AppVM', 1, 1, 0],
  ['@tag:work', 1, 1, 0],
  ['@dispvm', 0, 1, 1],
  ['@dispvm:web', 1, 1, 1],
  [`@dispvm:${uuid}`, 1, 1, 1],
  ['@dispvm:@tag:work', 1, 1, 0],
  ['@type:', 0, 0, 0],
  ['@tag:', 0, 0, 0],
  ['@tag:@tag:x', 0, 0, 0],
  ['@dispvm:', 0, 0, 0],
  ['@dispvm:@tag:', 0, 0, 0],
  ['@dispvm:@type:AppVM', 0, 0, 0],
  ['@dispvm:@dispvm', 0, 0, 0],
  ['@', 0, 0, 0],
  ['@ANYVM', 0, 0, 0],
  ['@nonsense', 0, 0, 0],
  ['$anyvm', 0, 0, 0],
  ['uuid:', 0, 0, 0],
  ['uuid:12345678', 0, 0, 0],
  [uuid.toUpperCase().replace('UUID', 'uuid'), 0, 0, 0],
  ['a*', 0, 0, 0],
  ['a/b', 0, 0, 0],
  ['-a', 0, 0, 0],
  ['a'.repeat(256), 0, 0, 0],
];

describe('VMs', () => {
  test.each(tokens)('%s is accepted in its places only', (token, source, destination, target) => {
    const isAccepted = (line: string): 0 | 1 => (diagnosticsOf(line).length === 0 ? 1 : 0);
    expect([
      isAccepted(`s * ${token} web deny`),
      isAccepted(`s * web ${token} deny`),
      isAccepted(`s * web @anyvm allow target=${token}`),
      isAccepted(`s * web @anyvm ask default_target=${token}`),
    ]).toEqual([source, destination, target, target]);
  });
});

test.each([
  's * a b deny',
  '\t s\t+  a  b\tdeny \t',
  '* * * * deny',
  'a.B-c_9 +x+y-._Z a b deny',
  's * a b allow target=c user=root notify=yes autostart=no',
  's * a b ask target=c default_target=d user=root notify=no autostart=yes',
  's * a b deny notify=no',
  's * a @default allow target=b',
  's * a @default ask',
  's * a @default deny',
  '__proto__ * __proto__ constructor deny',
  's * a b deny\r',
])('%j is accepted', (line) => {
  expect(diagnosticsOf(line)).toEqual([]);
  expect(parse(line).statements).toMatchObject([{ kind: 'rule', rule: { line: 1, file: 'p' } }]);
});

test.each([
  ['s', 1],
  ['  s * a b', 3],
  ['s+x * a b deny', 1],
  ['s! * a b deny', 1],
  ['** * a b deny', 1],
  ['s x a b deny', 3],
  ['s ** a b deny', 3],
  ['s +* a b deny', 3],
  ['s +a/b a b deny', 3],
  ['* + a b deny', 3],
  ['* +x a b deny', 3],
  ['s * a b Allow', 9],
  ['s * a b permit', 9],
  ['s * a b constructor', 9],
  ['s * a b deny,notify=no', 9],
  ['s * a b allow target', 15],
  ['s * a b allow target=', 22],
  ['s * a b allow user=', 20],
  ['s * a b allow user=a:b', 20],
  ['s * a b allow user=a user=a', 22],
  ['s * a b allow notify=true', 22],
  ['s * a b allow notify=', 22],
  ['s * a b allow autostart=Yes', 25],
  ['s * a b allow relayed=maybe', 23],
  ['s * a b deny relayed=no', 14],
  ['s * a b ask relayed=no', 13],
  ['s * a b allow default_target=c', 15],
  ['s * a b allow __proto__=c', 15],
  ['s * a b allow =c', 15],
  ['s * a b ask timeout=3', 13],
  ['s * a b deny target=c', 14],
  ['s * a b deny user=c', 14],
  ['s * a @default allow', 16],
  ['s * a b deny #why', 14],
  ['s * a b\u00a0deny', 8],
  ['s * a b deny\0', 13],
  ['s * a b deny\rs * a b allow', 13],
  ['# hidden\rs * a b deny', 9],
  ['\ufeffs * a b deny', 1],
  ['s * ä b deny', 5],
  ['!include', 1],
  ['!include a b', 1],
  ['!include-dir', 1],
  ['!include-service s * ', 1],
  ['!include-service s x f', 20],
  ['!include-service * + f', 20],
  ['!include-service s+ * f', 18],
  ['!compat-4.0', 1],
  ['!', 1],
  ['! include f', 1],
  ['!Include f', 1],
])('%j is refused', (line, column) => {
  const [first = '', ...more] = diagnosticsOf(`# first\n\n${line}`);
  expect(first).toMatch(new RegExp(`^p:3:${column}: .`));
  expect(more).toEqual([]);
});

test('comments and empty lines are ignored', () => {
  const text = '# ä\n\n  \t\n   # s * a b deny \u0000\n#!include f\n\r\n';
  expect(parse(text)).toEqual({ statements: [], diagnostics: [] });
});

test('all errors of a line and of a file are found at once', () => {
  const text = 's+a x @default b allow\nt * a b deny\nt * a @x deny notify=maybe a\n';
  expect(parse(text).diagnostics.map(({ place }) => placeText(place))).toEqual([
    ...['p:1:1', 'p:1:5', 'p:1:7', 'p:3:7', 'p:3:22', 'p:3:28'],
  ]);
  expect(parse(text).statements).toHaveLength(1);
});

test('bytes that are not UTF-8 are an error even in a comment', () => {
  const text = Buffer.concat([
    Buffer.from('# ok\n# '),
    Buffer.of(0xff),
    Buffer.from('\ns * a b deny'),
  ]);
  expect(diagnosticsOf(text)).toEqual(['p:2:1: the line is not UTF-8']);
});

test('a line longer than the limit is refused', () => {
  expect(diagnosticsOf(`s * a b deny${' '.repeat(5_000_000)}x`)).toEqual([
    'p:1:4097: the line is longer than 4096 characters',
  ]);
  expect(diagnosticsOf('a '.repeat(2000))[0]).toMatch(/^p:1:\d+: /);
});

test('a file full of errors reports a limited number of them', () => {
  expect(parse('x\n'.repeat(100_000)).diagnostics).toHaveLength(1001);
});

test('a rule is parsed into its fields', () => {
  const [rule] = rulesOf('sign +a+b web sa-vm allow user=signer autostart=no');
  expect(rule).toMatchObject({
    service: 'sign',
    argument: 'a+b',
    file: 'p',
    line: 1,
    column: 1,
    place: 'p:1',
    source: { kind: 'named', text: 'web' },
    destination: { kind: 'named', text: 'sa-vm' },
    action: { kind: 'allow', target: undefined, user: 'signer', notify: false },
  });
  expect(rulesOf('s + a b deny\n* * a b deny notify=no')).toMatchObject([
    { service: 's', argument: '', action: { notify: true } },
    { service: undefined, argument: undefined, action: { notify: false } },
  ]);
});

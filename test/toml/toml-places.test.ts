/** The places of keys and array items in TOML texts, for every way of writing them. */
import fc from 'fast-check';
import { stringify, type TomlTable } from 'smol-toml';
import { expect, test } from 'vitest';
import { openCarets } from '../../src/toml/locate.ts';
import { findOffset, type KeyPath } from '../../src/toml/place-tree.ts';
import { placesOf } from '../../src/toml/toml-places.ts';

const written = `# [vm.none]
"policy" = 'policy.d' # a = "b"
date = 1979-05-27 07:32:00
vm.dotted . "key" = """
[vm.sa]
ip = ["no"] \\" """""
[net]
gateway = [ # one [line]
  "10.0.5.1", '] = "',
  [1, 2], { a = 1, b = [3] },
]
[ vm . 'sa vm' ]
ip = ["a","b"]
"\\u0061b" = {x.y = [true,
], z = ''' {x]
'''}
[[rule]]
[[rule]]
action = "accept"
[[rule.more]]
[rule.more.of]
n = [1]
[[rule]]
action = "drop"
`;

test.each<readonly [KeyPath, string]>([
  [['policy'], '2:1'],
  [['date'], '3:1'],
  [['vm', 'dotted', 'key'], '4:1'],
  [['net'], '7:1'],
  [['net', 'gateway'], '8:1'],
  [['net', 'gateway', 0], '9:3'],
  [['net', 'gateway', 1], '9:15'],
  [['net', 'gateway', 2, 1], '10:7'],
  [['net', 'gateway', 3], '10:11'],
  [['net', 'gateway', 3, 'b', 0], '10:25'],
  [['vm', 'sa vm'], '12:1'],
  [['vm', 'sa vm', 'ip', 1], '13:11'],
  [['vm', 'sa vm', 'ab', 'x', 'y', 0], '14:21'],
  [['vm', 'sa vm', 'ab', 'z'], '15:4'],
  [['rule'], '17:1'],
  [['rule', 0], '17:1'],
  [['rule', 1, 'action'], '19:1'],
  [['rule', 1, 'more', 0, 'of', 'n', 0], '22:6'],
  [['rule', 2, 'action'], '24:1'],
])('%j is at %s', (path, expected) => {
  const { line, column } = openCarets(written)(path);
  expect(`${line}:${column}`).toBe(expected);
});

test.each<readonly [KeyPath, string]>([
  [['vm', 'sa vm', 'config'], '12:1'],
  [['rule', 0, 'action'], '17:1'],
  [['net', 'gateway', 9], '8:1'],
  [['nothing', 'at', 'all'], '1:1'],
  [[], '1:1'],
])('the missing key %j gets the place of its nearest parent, %s', (path, expected) => {
  const { line, column } = openCarets(written)(path);
  expect(`${line}:${column}`).toBe(expected);
});

type Value = number | { readonly [key: string]: Value } | readonly Value[];

const leavesOf = (value: Value, path: KeyPath = []): (readonly [KeyPath, number])[] => {
  if (typeof value === 'number') return [[path, value]];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return entries.flatMap(([key, value]) => leavesOf(value, [...path, key]));
};

const key = fc.constantFrom('a', 'b-c', 'd e', 'é"', "'", '.', '#', '[', ']', '\\n', '0', '');

const documents = fc.letrec<{ value: Value; table: { [key: string]: Value } }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', maxDepth: 4, withCrossShrink: true },
    fc.integer({ min: 1000, max: 9999 }),
    fc.array(fc.integer({ min: 1000, max: 9999 }), { maxLength: 4 }),
    fc.array(tie('table'), { maxLength: 3 }),
    tie('table'),
  ),
  table: fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));

test('every number in a random document is found at its place', () => {
  let leaves = 0;
  fc.assert(
    fc.property(documents.table, (document) => {
      const text = stringify(document as TomlTable);
      const root = placesOf(text);
      for (const [path, value] of leavesOf(document)) {
        leaves += 1;
        const rest = text.slice(findOffset(root, path));
        const before = typeof path.at(-1) === 'string' ? /^[^=\n]+ = /.exec(rest)?.[0] : '';
        expect(rest.slice(before?.length, (before?.length ?? 0) + 4)).toBe(`${value}`);
      }
    }),
    { numRuns: 500 },
  );
  expect(leaves).toBeGreaterThan(1000);
});

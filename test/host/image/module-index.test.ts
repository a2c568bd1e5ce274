/** Needed kernel modules are looked up in modules.builtin and modules.dep. */
import { expect, test } from 'vitest';
import { lackingModules, parseModuleIndex } from '../../../src/host/image/module-index.ts';

const index = parseModuleIndex(
  'kernel/drivers/xen/xen-evtchn.ko\n',
  [
    'kernel/net/nf_tables.ko.zst: kernel/net/nfnetlink.ko.zst kernel/lib/crc.ko.zst',
    'kernel/drivers/net/xen-netback/xen-netback.ko:',
    'extra/one.ko.gz:',
    '',
  ].join('\n'),
);

const lacking = (names: readonly string[], missing = '', release = '6.6.1-virt') =>
  lackingModules(
    release,
    index,
    names.map((name) => ({ name })),
    (path) => path !== missing,
  );

test('a module is found built in or as a file, with dashes or underscores, with any compression', () => {
  expect(lacking(['xen_evtchn', 'xen-netback', 'nf_tables', 'nf-tables', 'one'])).toEqual([]);
});

test('a missing module or a missing dependency is named', () => {
  expect(lacking(['xen-gntdev', 'nf_tables'])).toEqual(['xen-gntdev']);
  expect(lacking(['nf_tables'], 'kernel/lib/crc.ko.zst')).toEqual([
    'nf_tables (which needs kernel/lib/crc.ko.zst)',
  ]);
  expect(lacking(['one'], 'extra/one.ko.gz')).toEqual(['one (extra/one.ko.gz)']);
});

test.each([
  ['5.15.0', ['old']],
  ['6.1.0-13-amd64', ['old']],
  ['6.2.0', []],
  ['10.0.1', []],
])(
  'on Linux %s, these modules that later became a part of another are missing: %j',
  (release, expected) => {
    const needed = [{ name: 'old', before: [6, 2] as const }];
    expect(lackingModules(release, index, needed, () => true)).toEqual(expected);
  },
);

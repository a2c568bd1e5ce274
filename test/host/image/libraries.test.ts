/**
 * Recognises the messages of the loaders of glibc 2.36 and musl 1.2.3, which are quoted here word for word.
 */
import { expect, test } from 'vitest';
import { missingLibrary } from '../../../src/host/image/libraries.ts';

const finished = (status: number, stdout: string, stderr = '') => ({ status, stdout, stderr });

const musl = '\t/lib/ld-musl-x86_64.so.1 (0x7f3e9f81b000)\n';
const relocating = 'Error relocating /usr/bin/prog: f: symbol not found\n';
const loading =
  'Error loading shared library libl.so: No such file or directory (needed by /usr/bin/prog)\n';

test.each([
  ['glibc', finished(0, '\tlibc.so.6 => /lib/libc.so.6 (0x00007fc95801e000)\n'), undefined],
  ['glibc misses a library', finished(0, '\tliba.so.1 => not found\n'), 'liba.so.1 => not found'],
  [
    'glibc misses a library that a library needs',
    finished(
      127,
      '',
      '/x/xen.node: error while loading shared libraries: liba.so.1: cannot open shared object file\n',
    ),
    'error while loading shared libraries: liba.so.1: cannot open shared object file',
  ],
  [
    'glibc is too old',
    finished(
      1,
      '',
      "/bin/x: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /bin/x)\n",
    ),
    "/bin/x: /lib/libc.so.6: version `GLIBC_2.38' not found (required by /bin/x)",
  ],
  ['musl', finished(0, `${musl}\tliba.so => /lib/liba.so (0x7f3e9f809000)\n`), undefined],
  ['musl misses a library', finished(127, musl, `${loading}${relocating}`), loading.trim()],
  ['musl misses a symbol', finished(127, musl, relocating), relocating.trim()],
  ['a loader that fails', finished(139, ''), 'its loader ended with exit status 139'],
])('a program: %s', (_, said, complaint) => {
  expect(missingLibrary(said, true)).toBe(complaint);
});

test.each([
  ['only symbols that Node has are missing', finished(127, musl, relocating), undefined],
  ['a library is missing', finished(127, musl, `${relocating}${loading}`), loading.trim()],
  ['the file is not a library', finished(1, '', 'x: not an ELF file'), 'x: not an ELF file'],
])('a library on musl: %s', (_, said, complaint) => {
  expect(missingLibrary(said, false)).toBe(complaint);
});

/** The ELF reader on real files, on patched files and on arbitrary bytes. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foreignTo, parseElf } from '../../../src/host/image/elf.ts';
import { fileKind } from '../../../src/host/image/file-kind.ts';
import { withFile } from '../../../src/host/image/find-file.ts';
import { addonFile } from '../../../src/package.ts';
import { directoryWith } from '../../support/directory.ts';

const reader = (bytes: Buffer) => (position: number, length: number) =>
  bytes.subarray(position, position + length);

const program = readFileSync('/bin/true');
const library = readFileSync(addonFile);

const patched = (bytes: Buffer, at: number, ...values: readonly number[]): Buffer => {
  const copy = Buffer.from(bytes);
  for (const [index, value] of values.entries()) copy[at + index] = value;
  return copy;
};

test('a program of this machine names its loader and fits', () => {
  const elf = parseElf(reader(program));
  expect(elf?.interpreter).toMatch(/^\/lib.*\/ld-/);
  expect(elf && foreignTo(process.arch, elf)).toBeUndefined();
  expect(elf?.length).toBe(program.length);
});

test('a library of this machine is an ELF file, too', () => {
  const elf = parseElf(reader(library));
  expect(elf && foreignTo(process.arch, elf)).toBeUndefined();
});

/** A 32-bit ELF file in either byte order, with one segment that names the loader "/lib/ld.so". */
const small = (isLittle: boolean): Buffer => {
  const bytes = Buffer.alloc(52 + 32 + 16);
  bytes.write('\x7fELF', 'latin1');
  bytes[4] = 1;
  bytes[5] = isLittle ? 1 : 2;
  const half = (at: number, value: number) =>
    isLittle ? bytes.writeUInt16LE(value, at) : bytes.writeUInt16BE(value, at);
  const word = (at: number, value: number) =>
    isLittle ? bytes.writeUInt32LE(value, at) : bytes.writeUInt32BE(value, at);
  half(18, 40);
  word(28, 52);
  half(42, 32);
  half(44, 1);
  word(52, 3);
  word(52 + 4, 84);
  word(52 + 16, 11);
  bytes.write('/lib/ld.so\0', 84, 'latin1');
  return bytes;
};

test.each([true, false])(
  'a 32-bit file is read in its byte order (little endian: %s)',
  (isLittle) => {
    const elf = parseElf(reader(small(isLittle)));
    expect(elf).toEqual({ bits: 32, machine: 40, interpreter: '/lib/ld.so', length: 0 });
    expect(elf && foreignTo('arm', elf)).toBeUndefined();
  },
);

test.each([
  ['x64', 183, 'it is for arm64, but this machine is x64'],
  ['arm64', 62, 'it is for x64, but this machine is arm64'],
  ['x64', 3, 'it is for machine 3 of elf.h, 64 bit, but this machine is x64'],
  ['vax', 75, 'vifwatch cannot recognise programs for vax'],
])('on %s, a file for machine %d is foreign', (arch, machine, why) => {
  expect(foreignTo(arch, { bits: 64, machine, interpreter: undefined, length: 0 })).toBe(why);
});

test('arbitrary bytes never throw', () => {
  const mutation = fc.tuple(fc.nat(511), fc.nat(255));
  fc.assert(
    fc.property(fc.array(mutation), fc.nat(4096), (mutations, length) => {
      let bytes: Buffer = program.subarray(0, length);
      for (const [at, value] of mutations) bytes = patched(bytes, at, value);
      parseElf(reader(bytes));
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(parseElf(reader(Buffer.from(bytes)))).toBeUndefined();
      fileKind(reader(Buffer.from(bytes)));
    }),
  );
});

test('offsets and sizes beyond the end of the file are cut off at its end', () => {
  const file = join(directoryWith(), 'program');
  // e_phoff, e_shoff, e_phentsize and e_phnum.
  for (const [at, length] of [
    [32, 8],
    [40, 8],
    [54, 4],
  ] as const) {
    writeFileSync(file, patched(program, at, ...Array<number>(length).fill(255)));
    expect(withFile(file, parseElf)).toMatchObject({ bits: 64 });
  }
});

test.each([
  ['\x7fELF\x02\x01', { kind: 'elf' }],
  ['#!/usr/bin/env node\n', { kind: 'script', interpreter: '/usr/bin/env' }],
  ['#! /bin/sh', { kind: 'script', interpreter: '/bin/sh' }],
  ['', { kind: 'nothing', what: 'is empty' }],
  ['echo x\n', { kind: 'other', what: 'is not a program: it begins with "echo x"' }],
  [
    '\n<!DOCTYPE html>\n<title>404',
    {
      kind: 'nothing',
      what: 'is a web page, saved instead of the file: it begins with "<!DOCTYPE html>"',
    },
  ],
  ['\x1b[2J', { kind: 'other', what: 'is not a program: it begins with "\\u{1b}[2J"' }],
])('a file that begins with %j is recognised', (text, kind) => {
  expect(fileKind(reader(Buffer.from(text, 'latin1')))).toEqual(kind);
});

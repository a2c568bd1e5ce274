import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSettled } from '../../src/system/settled-file.ts';
import { loadNative } from '../../src/xen/native.ts';

const { isOpenForWriting } = loadNative();

const openDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'vifwatch-settled-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
};

test('a file that somebody has open for writing is not read until it is closed', async () => {
  const path = join(openDirectory(), 'web.toml');
  const writer = await open(path, 'w');
  await writer.write('half');
  expect(await readSettled(path, isOpenForWriting)).toBe(undefined);
  await writer.write(' and half');
  await writer.close();
  const reader = await open(path);
  expect(await readSettled(path, isOpenForWriting)).toBe('half and half');
  await reader.close();
});

test('a file that changes while it is read is not taken', async () => {
  const path = join(openDirectory(), 'web.toml');
  writeFileSync(path, 'before');
  const changing = (): boolean => {
    writeFileSync(path, 'after it');
    return false;
  };
  expect(await readSettled(path, changing)).toBe(undefined);
});

test('a writer that comes right after the question is not disturbed, and neither are we', async () => {
  const path = join(openDirectory(), 'web.toml');
  writeFileSync(path, '');
  const [reader, asked] = [await open(path), 2000];
  for (let round = 0; round < asked; round += 1) {
    const writing = open(path, 'w');
    isOpenForWriting(reader.fd);
    await (await writing).close();
  }
  expect(isOpenForWriting(reader.fd)).toBe(false);
  await reader.close();
});

test('what is no regular file is an error', async () => {
  await expect(readSettled(openDirectory(), isOpenForWriting)).rejects.toThrow(
    'not a regular file',
  );
  expect(() => isOpenForWriting(-1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
});

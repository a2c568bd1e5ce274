/** The output directory is the old tree, the new tree or absent; a foreign directory stays as it is. */
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { writeTree } from '../../../src/host/mesh/write-tree.ts';
import { directoryWith } from '../../support/directory.ts';
import { exampleTree, treeOf } from './tree-of.ts';

const filesIn = (directory: string): string[] =>
  readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .sort();

test('a new tree removes old files and leaves no temporary files', async () => {
  const directory = directoryWith();
  const out = join(directory, 'deep/er/out');
  await writeTree(out, treeOf({ 'vms/a/x': 'a', 'vms/b/x': 'b' }));
  writeFileSync(join(out, 'vms/mine'), '');
  await writeTree(`${out}/`, treeOf({ 'vms/b/x': 'c', 'dom0/s': '#!/bin/sh\n' }));
  expect(filesIn(out)).toEqual(['dom0/mesh', 'dom0/s', 'vms/b/x']);
  expect(readFileSync(join(out, 'vms/b/x'), 'utf8')).toBe('c');
  expect(readdirSync(join(directory, 'deep/er'))).toEqual(['out']);
});

test('modes do not depend on the umask', async () => {
  const before = process.umask(0o077);
  try {
    const out = join(directoryWith(), 'out');
    await writeTree(out, treeOf({ 'dom0/s': '#!/bin/sh\n', 'vms/a/x': '' }));
    const modes = ['', 'dom0', 'dom0/s', 'dom0/mesh', 'vms', 'vms/a', 'vms/a/x'].map((path) =>
      (statSync(join(out, path)).mode & 0o777).toString(8),
    );
    expect(modes).toEqual(['755', '755', '755', '644', '755', '755', '644']);
  } finally {
    process.umask(before);
  }
});

test.each<readonly [string, Readonly<Record<string, string>>]>([
  ['a directory with foreign files', { 'out/x': '' }],
  ['a directory with a foreign table', { 'out/dom0/mesh': 'mesh 1\n' }],
  ['a file', { out: 'vifwatch-mesh 1\n' }],
])('%s is left alone', async (_, files) => {
  const directory = directoryWith(files);
  await expect(writeTree(join(directory, 'out'), treeOf({}))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
  expect(filesIn(directory)).toEqual(Object.keys(files));
});

test('an empty directory is used', async () => {
  const directory = directoryWith();
  mkdirSync(join(directory, 'out'));
  await writeTree(join(directory, 'out'), treeOf({}));
  expect(filesIn(directory)).toEqual(['out/dom0/mesh']);
});

test('a link to a directory stays a link', async () => {
  const directory = directoryWith();
  await writeTree(join(directory, 'real'), treeOf({ x: '1' }));
  symlinkSync('real', join(directory, 'out'));
  await writeTree(join(directory, 'out'), treeOf({ x: '2' }));
  expect(readFileSync(join(directory, 'real/x'), 'utf8')).toBe('2');
  expect(readFileSync(join(directory, 'out/x'), 'utf8')).toBe('2');
});

test('a failed replacement leaves no temporary files', async () => {
  const directory = directoryWith();
  symlinkSync('nowhere', join(directory, 'out'));
  await expect(writeTree(join(directory, 'out'), treeOf({}))).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
  });
  expect(readdirSync(directory)).toEqual(['out']);
});

test('of two simultaneous writers, one writes a whole tree, and the other one gets an error', async () => {
  const directory = directoryWith();
  const out = join(directory, 'out');
  const small = treeOf({ small: '' });
  const large = treeOf(
    Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`vms/${at}/x`, ''])),
  );
  let isWriting = true;
  const writing = Promise.allSettled([writeTree(out, large)]).finally(() => {
    isWriting = false;
  });
  const ended: PromiseSettledResult<void>[] = [];
  while (isWriting) ended.push(...(await Promise.allSettled([writeTree(out, small)])));
  ended.push(...(await writing));
  const reasons = ended.flatMap((result) =>
    result.status === 'rejected' ? [String(result.reason)] : [],
  );
  // While the large tree is written, at least one rename fails because another tree is there.
  expect(reasons).not.toEqual([]);
  expect(reasons.length).toBeLessThan(ended.length);
  for (const reason of reasons) expect(reason).toMatch(/cannot be written: \w+: [\w ]+, rename '/);
  const wholes = [small, large].map((tree) => [...tree.keys()].sort());
  expect(wholes).toContainEqual(filesIn(out));
  expect(readdirSync(directory)).toEqual(['out']);
});

const writer = new URL('child/endless-writer.ts', import.meta.url).pathname;

/** Kills a writer `ms` after its first output; resolves with whether it has left a tree. */
const killAfter = async (ms: number): Promise<boolean> => {
  const directory = directoryWith();
  const out = join(directory, 'out');
  const child = execa(process.execPath, ['--import', 'tsx', writer, out], { reject: false });
  onTestFinished(() => void child.kill('SIGKILL'));
  await Promise.race([once(child.stdout, 'data'), once(child.stdout, 'close')]);
  await delay(ms);
  child.kill('SIGKILL');
  expect((await child).signal).toBe('SIGKILL');
  const isThere = existsSync(out);
  if (isThere) {
    expect(filesIn(out)).toEqual([...exampleTree(0).keys()].sort());
    const texts = filesIn(join(out, 'vms')).map((file) =>
      readFileSync(join(out, 'vms', file), 'utf8'),
    );
    expect(new Set(texts).size).toBe(1);
  }
  await writeTree(out, exampleTree(2));
  expect(readFileSync(join(out, 'vms/1/1'), 'utf8')).toContain('2');
  expect(readdirSync(directory)).toEqual(['out']);
  return isThere;
};

test('a writer that is killed at any moment leaves a whole tree or none', async () => {
  // There is no tree for a moment between two trees; four kills do not all hit that moment.
  expect(await Promise.all([0, 5, 12, 25].map(killAfter))).toContain(true);
});

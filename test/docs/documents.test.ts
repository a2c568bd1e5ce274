/** Checks the documents against the code: sizes, paths and codes. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { processCodes, vifCodes } from '../../src/errors.ts';
import { auditCodes } from '../../src/host/audit/finding.ts';
import { refusalCodes } from '../../src/ipc/protocol/call.ts';
import { vchanCodes } from '../../src/ipc/vchan/vchan-error.ts';

const github = readdirSync('.github').filter((name) => name.endsWith('.md'));
const documents = ['README.md', 'src/README.md', 'test/README.md'].concat(
  github.map((name) => join('.github', name)),
);

const read = (file: string): string => readFileSync(file, 'utf8');

const linksOf = (text: string): readonly string[] =>
  [...text.matchAll(/\]\(([^)#]+)[^)]*\)/g)].flatMap(([, target = '']) =>
    /^\w+:/.test(target) ? [] : [target],
  );

/** Whether a path exists, or is the beginning of an existing one, because vitest accepts beginnings. */
const isPath = (path: string): boolean =>
  existsSync(path) ||
  (existsSync(dirname(path)) &&
    readdirSync(dirname(path)).some((name) => name.startsWith(basename(path))));

/** The words in backticks that begin with a folder's name or end like a source file. */
const pathsOf = (text: string, roots: readonly string[]): readonly string[] =>
  [...text.matchAll(/`([^`\n]+)`/g)]
    .flatMap(([, code = '']) => code.split(' '))
    .filter((word) => /^(\.github\/|\w)[\w.-]*(\/[\w.-]+)*$/.test(word))
    .filter((word) => {
      const [first = '', ...rest] = word.split('/');
      const isInFolder =
        rest.length > 0 && roots.some((root) => existsSync(join(root, first)) && first !== 'dist');
      return isInFolder || /\.(ts|md|toml|sh)$/.test(word);
    });

test('README.md is at most 8 KiB', () => {
  expect(statSync('README.md').size).toBeLessThanOrEqual(8192);
});

test.each(documents)('%s names only files that exist', (file) => {
  const text = read(file);
  const roots = [dirname(file), '.'];
  const missing = [
    ...linksOf(text).filter((target) => !existsSync(join(dirname(file), target))),
    ...pathsOf(text, roots).filter((path) => !roots.some((root) => isPath(join(root, path)))),
  ];
  expect(missing).toEqual([]);
});

const pages = readdirSync('man').sort();

test('npm installs every man page', () => {
  expect(manifest.man).toEqual(pages.map((page) => `./man/${page}`));
});

test('every man page that another man page names exists', () => {
  const names = [...pages, ...documents]
    .map((file) => read(file.includes('/') || file === 'README.md' ? file : join('man', file)))
    .flatMap((text) => [
      ...[...text.matchAll(/^\.Xr (vifwatch\S*) (\d)/gm)].map(
        ([, name, part]) => `${name}.${part}`,
      ),
      ...[...text.matchAll(/\b(vifwatch[\w.-]*)\((\d)\)/g)].map(
        ([, name, part]) => `${name}.${part}`,
      ),
    ]);
  expect(names.length).toBeGreaterThan(0);
  expect([...new Set(names)].filter((name) => !pages.includes(name))).toEqual([]);
});

const filesBelow = (directory: string, extension: string): readonly string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => extname(name) === extension)
    .map((name) => join(directory, name));

const found = (files: readonly string[], pattern: RegExp): readonly string[] =>
  files.flatMap((file) => [...read(file).matchAll(pattern)].map(([, code = '']) => code));

test('vifwatch-errors(7) explains every code and no others', () => {
  const sources = filesBelow('src', '.ts');
  const codes = [
    // The lists of codes, and codes that are only logged.
    ...[...vifCodes, ...processCodes, ...auditCodes, ...vchanCodes],
    ...found(sources, /\bcode: '([A-Z0-9]+(?:_[A-Z0-9]+)+)'/gm),
    ...found(filesBelow('dom0', '.awk'), /\bfind(?:_of)?\([^"\n]*"([A-Z0-9_]+)"/g),
  ];
  const entries = found(['man/vifwatch-errors.7'], /^\.It Er ([A-Z0-9_]+)$/gm);
  expect([...new Set(entries)].sort()).toEqual([...new Set(codes)].sort());
});

test('vifwatch-errors(7) explains every refusal of a call and no others', () => {
  const entries = found(['man/vifwatch-errors.7'], /^\.It Er ([a-z-]+)$/gm);
  expect([...entries].sort()).toEqual([...refusalCodes].sort());
});

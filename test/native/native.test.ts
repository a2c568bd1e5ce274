import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';

const root = new URL('../../', import.meta.url).pathname;

/**
 * Installs the parts of the package that the loader needs, with or without the addon, and loads its bundle.
 */
const installBundle = async (addon: string | undefined) => {
  // The directory is below this package, whose addon the loader must not find.
  mkdirSync(`${root}.cache`, { recursive: true });
  const directory = mkdtempSync(`${root}.cache/installed-`);
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(`${directory}/package.json`, '{"type":"module"}');
  if (addon) symlinkSync(addon, `${directory}/native`);
  const outfile = `${directory}/dist/native.js`;
  const entryPoints = [`${root}src/xen/native.ts`];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm' });
  const { loadNative } = await import(outfile);
  return { directory, loadNative };
};

test('the bundle finds the addon of its own package', async () => {
  const { loadNative } = await installBundle(`${root}native`);
  expect(loadNative()).toHaveProperty('Xenstore');
});

test('the error for a missing addon names its path and the command to build it', async () => {
  const { directory, loadNative } = await installBundle(undefined);
  expect(() => loadNative()).toThrow(
    `cannot load ${directory}/native/build/Release/xen.node: Cannot find module`,
  );
  expect(() => loadNative()).toThrow(`"npm run install" in ${directory}`);
});

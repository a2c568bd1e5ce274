/** The hardening of the built addon: native/binding.gyp sets the flags. */
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { addonFile } from '../../src/package.ts';

const readelf = async (...options: readonly string[]): Promise<string> =>
  (await execa('readelf', ['--wide', ...options, addonFile])).stdout;

test("the addon's relocations are read-only after the addon is loaded", async () => {
  expect(await readelf('--segments')).toMatch(/^ +GNU_RELRO /m);
  expect(await readelf('--dynamic')).toMatch(/\(FLAGS\) +BIND_NOW/);
});

test("the addon's stack cannot be executed", async () => {
  expect(await readelf('--segments')).toMatch(/^ +GNU_STACK .* RW +0x/m);
});

test('the addon checks its stack frames', async () => {
  expect(await readelf('--dyn-syms')).toMatch(/ UND __stack_chk_fail\b/);
});

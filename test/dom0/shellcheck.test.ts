/** shellcheck finds nothing in the scripts for dom0 and for OpenRC. */
import { readdirSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';

// OpenRC sets variables and reads others; its shells know "local".
const openrc = ['--shell=dash', '--exclude=SC2034,SC2154,SC2030,SC2031'];

/**
 * Each row: directory, options, the names of its scripts (without awk programs and settings), and one known
 * script.
 */
test.each([
  ['dom0', ['--shell=sh'], /^[a-z]+$/, 'attend'],
  ['openrc', openrc, /\.(initd|sh)$/, 'vifwatch.initd'],
  ['test/dom0', ['--shell=sh'], /^xl$/, 'xl'],
])('shellcheck finds nothing in the scripts of %s', async (cwd, options, names, known) => {
  const files = readdirSync(cwd).filter((name) => names.test(name));
  expect(files).toContain(known);
  const argv = ['--external-sources', ...options, ...files];
  const { stdout, exitCode } = await execa('shellcheck', argv, { cwd, reject: false });
  expect(stdout).toBe('');
  expect(exitCode).toBe(0);
});

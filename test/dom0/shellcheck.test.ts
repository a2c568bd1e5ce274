/** What runs in dom0 and in OpenRC is sh that shellcheck finds nothing in. */
import { execa } from 'execa';
import { expect, test } from 'vitest';

// OpenRC sets variables and reads others; its shells know "local".
const openrc = ['--shell=dash', '--exclude=SC2034,SC2154,SC2030,SC2031'];

test.each([
  ['dom0', ['--shell=sh'], ['autostart', 'recreate', 'audit', 'common']],
  ['openrc', openrc, ['vifwatch.initd', 'vifwatch-agent.initd', 'readiness.sh']],
  ['test/dom0', ['--shell=sh'], ['xl']],
])('%s', async (cwd, options, files) => {
  const argv = ['--external-sources', ...options, ...files];
  const { stdout, exitCode } = await execa('shellcheck', argv, { cwd, reject: false });
  expect(stdout).toBe('');
  expect(exitCode).toBe(0);
});

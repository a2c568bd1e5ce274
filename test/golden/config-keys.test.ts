/**
 * The names that an operator writes: keys of files, variables of OpenRC's conf.d files, and kernel
 * parameters.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { directoryWith } from '../support/directory.ts';
import { expectGolden, main } from './golden.ts';

/** Files with every key. */
const everyKey = new URL('every-key/', import.meta.url).pathname;

const repository = new URL('../../', import.meta.url).pathname;

const config = `${everyKey}etc/vifwatch.toml`;

/** Runs vifwatch as on a machine without xenstored and other programs. */
const vifwatch = async (...args: readonly string[]) => {
  const env = { PATH: '/nonexistent', XENSTORED_PATH: '/nonexistent' };
  const options = { extendEnv: false, env, reject: false } as const;
  return await execa(process.execPath, [main, '--runtime', directoryWith(), ...args], options);
};

/** The paths of all keys in a TOML file, each after its table's path. */
const keysIn = (toml: string): readonly string[] => {
  let table = '';
  return toml.split('\n').flatMap((line) => {
    table = /^\[+([\w.-]+)\]+$/.exec(line)?.[1]?.concat('.') ?? table;
    const key = /^([\w-]+) = /.exec(line)?.[1];
    return key === undefined ? [] : [table + key];
  });
};

test('the files have these keys', async () => {
  const files = ['etc/vifwatch.toml', 'etc/agent.toml', 'etc/rules.d/profile.toml'];
  const lines = [...files, 'etc/rules.d/web.toml', 'mesh.toml'].flatMap((file) => {
    const keys = new Set(keysIn(readFileSync(everyKey + file, 'utf8')));
    return [...keys].sort().map((key) => `${file}: ${key}`);
  });
  await expectGolden('config-keys', lines);
});

test('the daemon accepts every key of vifwatch.toml and gets to the firewall', async () => {
  const { stdout, exitCode } = await vifwatch('--config', config, 'run');
  expect(stdout).toContain('"code":"FIREWALL_BASE_FAILED"');
  expect(exitCode).toBe(1);
});

test('the check accepts every key of a policy in rules.d', async () => {
  const { stdout } = await vifwatch('--config', config, 'check');
  expect(stdout).toMatch(/^ok .*profile web$/m);
});

test('the agent accepts every key of agent.toml and gets to xenstore', async () => {
  const { stdout, exitCode } = await vifwatch('--config', config, 'agent');
  expect(stdout).toContain('"code":"XENSTORE_UNAVAILABLE"');
  expect(exitCode).toBe(1);
});

test('a mesh.toml with every key compiles to these files and these kernel parameters', async () => {
  const output = `${directoryWith()}/out`;
  const { stderr, exitCode } = await vifwatch(
    'mesh',
    'compile',
    `${everyKey}mesh.toml`,
    '-o',
    output,
  );
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  const files = readdirSync(output, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(output.length + 1))
    .sort();
  const words = files
    .filter((file) => file.endsWith('.cfg'))
    .flatMap((file) => {
      const text = readFileSync(`${output}/${file}`, 'utf8');
      return [...text.matchAll(/ipc_[^ "']*/g)].map(([word]) => `${file}: ${word}`);
    });
  await expectGolden('mesh-output', [...files, ...words]);
});

test('the conf.d files and the OpenRC scripts have these variables', async () => {
  const lines = readdirSync(`${repository}openrc`)
    .sort()
    .flatMap((file) => {
      const text = readFileSync(`${repository}openrc/${file}`, 'utf8');
      const pattern = file.endsWith('.confd') ? /^#(\w+)=/gm : /^: "\$\{(\w+):?=/gm;
      return [...text.matchAll(pattern)].map(([, variable]) => `${file}: ${variable}`);
    });
  await expectGolden('openrc-variables', lines);
});

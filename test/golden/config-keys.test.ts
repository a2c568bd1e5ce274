/** What an operator writes: the keys of each file, the variables of OpenRC's, the words of the kernel's command line. */
import { readdirSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { directoryWith } from '../support/directory.ts';
import { expectGolden, main } from './golden.ts';

/** Files that say every key there is. */
const everyKey = new URL('every-key/', import.meta.url).pathname;

const repository = new URL('../../', import.meta.url).pathname;

const config = `${everyKey}etc/vifwatch.toml`;

/** On a machine without xenstored and any other program. */
const vifwatch = async (...args: readonly string[]) => {
  const env = { PATH: '/nonexistent', XENSTORED_PATH: '/nonexistent' };
  const options = { extendEnv: false, env, reject: false } as const;
  return await execa(process.execPath, [main, '--runtime', directoryWith(), ...args], options);
};

/** The paths of all keys that a TOML file spells out, each below its table. */
const keysIn = (toml: string): readonly string[] => {
  let table = '';
  return toml.split('\n').flatMap((line) => {
    table = /^\[+([\w.-]+)\]+$/.exec(line)?.[1]?.concat('.') ?? table;
    const key = /^([\w-]+) = /.exec(line)?.[1];
    return key === undefined ? [] : [table + key];
  });
};

test('the files say these keys', async () => {
  const files = ['etc/vifwatch.toml', 'etc/agent.toml', 'etc/rules.d/profile.toml'];
  const lines = [...files, 'etc/rules.d/web.toml', 'mesh.toml'].flatMap((file) => {
    const keys = new Set(keysIn(readFileSync(everyKey + file, 'utf8')));
    return [...keys].sort().map((key) => `${file}: ${key}`);
  });
  await expectGolden('config-keys', lines);
});

test('vifwatch.toml may have every key: the daemon comes as far as the firewall', async () => {
  const { stdout, exitCode } = await vifwatch('--config', config, 'run');
  expect(stdout).toContain('"code":"FIREWALL_BASE_FAILED"');
  expect(exitCode).toBe(1);
});

test('a policy in rules.d may have every key: the check finds nothing wrong', async () => {
  const { stdout } = await vifwatch('--config', config, 'check');
  expect(stdout).toMatch(/^ok .*profile web$/m);
});

test('agent.toml may have every key: the agent comes as far as xenstore', async () => {
  const { stdout, exitCode } = await vifwatch('--config', config, 'agent');
  expect(stdout).toContain('"code":"XENSTORE_UNAVAILABLE"');
  expect(exitCode).toBe(1);
});

test('mesh.toml may have every key, and is compiled to these files and these words for kernels', async () => {
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

test('conf.d has these variables, and the scripts of OpenRC take these', async () => {
  const lines = readdirSync(`${repository}openrc`)
    .sort()
    .flatMap((file) => {
      const text = readFileSync(`${repository}openrc/${file}`, 'utf8');
      const pattern = file.endsWith('.confd') ? /^#(\w+)=/gm : /^: "\$\{(\w+):?=/gm;
      return [...text.matchAll(pattern)].map(([, variable]) => `${file}: ${variable}`);
    });
  await expectGolden('openrc-variables', lines);
});

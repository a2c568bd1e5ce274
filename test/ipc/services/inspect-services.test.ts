/** `agent check` names each service that would refuse its first call. */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { inspectServices } from '../../../src/ipc/services/inspect-services.ts';
import { directoryWith } from '../../support/directory.ts';

const open = () => {
  const root = directoryWith();
  const [services, configs] = [join(root, 'services'), join(root, 'services.d')];
  mkdirSync(services);
  mkdirSync(configs);
  const script = (name: string, text: string, mode = 0o755): void => {
    const path = join(services, name);
    writeFileSync(path, text);
    chmodSync(path, mode);
  };
  const configure = (name: string, text: string): void =>
    writeFileSync(join(configs, `${name}.toml`), text);
  const problems = () =>
    new Map(inspectServices(services, configs).map(({ name, problem }) => [name, problem]));
  return { root, services, script, configure, problems };
};

const fine = '#!/bin/sh\nexit 0\n';

test('a service that can run has no problem', () => {
  const { services, script, configure, problems } = open();
  script('plain', fine);
  script('sign+key1', '#! /bin/sh -e\n');
  configure('sign', 'user = "root"\n');
  symlinkSync(process.execPath, join(services, 'program'));
  expect([...problems().values()]).toEqual([undefined, undefined, undefined]);
});

test.each<[what: string, text: string, mode: number, config: string, problem: string]>([
  [
    'no shebang',
    'exit 0\n',
    0o755,
    '',
    'is not a program: it must be an ELF file or begin with "#!"',
  ],
  ['CR LF', '#!/bin/sh\r\nexit 0\r\n', 0o755, '', 'its lines end with CR LF: save it with LF'],
  ['no permission to run', fine, 0o644, '', 'is not executable'],
  [
    'a missing interpreter',
    '#!/no/such/shell\n',
    0o755,
    '',
    'its interpreter /no/such/shell does not exist',
  ],
  ['a relative interpreter', '#!sh\n', 0o755, '', 'its interpreter "sh" is not an absolute path'],
  ['mode 777', fine, 0o777, '', 'can be written by its group or by others (mode 777)'],
  ['an unknown key', fine, 0o755, 'usr = "root"\n', 'odd.toml:1:1: unknown key "usr"'],
  [
    'an unknown user',
    fine,
    0o755,
    'user = "nobody-here"\n',
    '/etc/passwd has no user "nobody-here"',
  ],
])('a service with %s is named', (_what, text, mode, config, problem) => {
  const { script, configure, problems } = open();
  script('odd', text, mode);
  script('plain', fine);
  if (config !== '') configure('odd', config);
  expect(problems().get('odd')).toContain(problem);
  expect(problems().get('plain')).toBe(undefined);
});

test('a directory that is missing is an error', () => {
  const { root } = open();
  expect(() => inspectServices(join(root, 'none'), root)).toThrow('ENOENT');
});

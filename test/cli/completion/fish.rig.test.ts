/** Runs the completion script in a real fish. */
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { commandTable } from '../../../src/cli/commands/table.ts';
import { contextsOf } from '../../../src/cli/completion/context.ts';
import { fishCompletion } from '../../../src/cli/completion/fish.ts';
import { directoryWith } from '../../support/directory.ts';

const script = fishCompletion(contextsOf(commandTable));

const cwd = directoryWith({ 'mesh.toml': '', 'meshes/a.toml': '' });

/** The completions that fish offers for the last word of each line, without descriptions. */
const offered = async (lines: readonly string[]): Promise<readonly (readonly string[])[]> => {
  const queries = lines.map((line) => `complete -C '${line}'; echo ---`);
  const { stdout, stderr } = await execa(
    'fish',
    ['--no-config', '-c', [script, ...queries].join('\n')],
    { cwd, env: { HOME: cwd } },
  );
  expect(stderr).toBe('');
  return stdout
    .split(/^---$/m)
    .slice(0, lines.length)
    .map((text) =>
      text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.replace(/\t.*/, '')),
    );
};

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['vifwatch po', ['policy']],
  ['vifwatch policy ', ['check', 'eval', 'explain']],
  ['vifwatch agent ', ['check']],
  ['vifwatch status --', ['--config', '--help', '--json', '--runtime']],
  ['vifwatch --runtime x status --j', ['--json']],
  ['vifwatch policy explain --relayed ', []],
  ['vifwatch policy check m', ['meshes/']],
  ['vifwatch mesh check m', ['mesh.toml', 'meshes/']],
  ['vifwatch mesh compile -o m', ['meshes/']],
  ['vifwatch mesh compile -o meshes mesh.', ['mesh.toml']],
  ['vifwatch --config mesh.', ['mesh.toml']],
  ['vifwatch call m', []],
  ['vifwatch call --timeout ', []],
  ['vifwatch call vm svc --t', ['--timeout']],
  ['vifwatch call vm svc -- cat mesh.', ['mesh.toml']],
  ['vifwatch completion ', ['bash', 'fish', 'zsh']],
  ['vifwatch help m', ['mesh']],
];

test('the script completes these lines', async () => {
  const found = await offered(cases.map(([line]) => line));
  expect(cases.map(([line], at) => [line, found[at]?.toSorted()])).toEqual(cases);
});

test('the script completes programs after "--"', async () => {
  const [programs] = await offered(['vifwatch call vm svc -- fis']);
  expect(programs).toContain('fish');
});

test('the script describes its completions', async () => {
  const query = `${script}\ncomplete -C 'vifwatch po'`;
  const { stdout } = await execa('fish', ['--no-config', '-c', query], { cwd, env: { HOME: cwd } });
  expect(stdout).toBe('policy\tCheck the call policy of this VM, or ask it about a call');
});

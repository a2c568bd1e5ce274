/** Runs the completion script in a real bash. */
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { commandTable } from '../../../src/cli/commands/table.ts';
import { bashCompletion } from '../../../src/cli/completion/bash.ts';
import { contextsOf } from '../../../src/cli/completion/context.ts';
import { directoryWith } from '../../support/directory.ts';

const script = bashCompletion(contextsOf(commandTable));

const cwd = directoryWith({ 'mesh.toml': '', 'mesh notes': '', 'meshes/a.toml': '' });

/** Completes the last word of each line; a line is given as the words into which bash splits it. */
const driver = `${script}
while IFS=$'\\t' read -ra COMP_WORDS; do
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
  [[ \${COMP_WORDS[COMP_CWORD]} == . ]] && COMP_WORDS[COMP_CWORD]=''
  _vifwatch
  (IFS='|'; echo "\${COMPREPLY[*]}")
done
`;

const cases: readonly (readonly [string, readonly string[]])[] = [
  ['vifwatch po', ['policy']],
  ['vifwatch policy .', ['check', 'explain', 'eval']],
  ['vifwatch agent .', ['check']],
  ['vifwatch --', ['--config', '--runtime', '--help', '--version']],
  ['vifwatch status --', ['--json', '--config', '--runtime', '--help']],
  ['vifwatch --runtime x status --j', ['--json']],
  ['vifwatch policy explain --d', ['--dir']],
  ['vifwatch policy explain --relayed .', []],
  ['vifwatch policy check m', ['meshes']],
  ['vifwatch policy check check m', []],
  ['vifwatch mesh check m', ['mesh notes', 'mesh.toml', 'meshes']],
  ['vifwatch mesh check mesh.toml m', []],
  ['vifwatch mesh compile -o m', ['meshes']],
  ['vifwatch mesh compile --output m', ['meshes']],
  ['vifwatch mesh compile -o meshes mesh.', ['mesh.toml']],
  ['vifwatch --config mesh.', ['mesh.toml']],
  ['vifwatch status --config = mesh.', ['mesh.toml']],
  ['vifwatch status --config =', ['mesh notes', 'mesh.toml', 'meshes']],
  ['vifwatch status --config = mesh.toml --r', ['--runtime']],
  ['vifwatch call .', []],
  ['vifwatch call --timeout .', []],
  ['vifwatch call vm svc --t', ['--timeout']],
  ['vifwatch call vm svc -- cat mesh.', ['mesh.toml']],
  ['vifwatch call vm svc -- --t', []],
  ['vifwatch completion .', ['bash', 'zsh', 'fish']],
  ['vifwatch help m', ['mesh']],
  ['vifwatch nonsense .', []],
];

let replies: readonly string[] = [];

beforeAll(async () => {
  const input = cases.map(([line]) => `${line.replaceAll(' ', '\t')}\n`).join('');
  const argv = ['--norc', '--noprofile', '-c', driver];
  const { stdout, stderr } = await execa('bash', argv, { cwd, input });
  expect(stderr).toBe('');
  replies = stdout.split('\n');
});

test.each(cases.map(([line, words], at) => ({ line, words, at })))('$line', ({ words, at }) => {
  const found = (replies[at] ?? '').split('|').filter((word) => word !== '');
  expect(found.toSorted()).toEqual(words.toSorted());
});

test('the script completes programs after "--"', async () => {
  const line = `${script}
COMP_WORDS=(vifwatch call vm svc -- bas) COMP_CWORD=5
_vifwatch
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await execa('bash', ['--norc', '--noprofile', '-c', line]);
  expect(stdout.split('\n')).toContain('bash');
});

test('the script registers itself', async () => {
  const line = `${script}\ncomplete -p vifwatch`;
  const { stdout } = await execa('bash', ['--norc', '--noprofile', '-c', line]);
  expect(stdout).toBe('complete -F _vifwatch vifwatch');
});

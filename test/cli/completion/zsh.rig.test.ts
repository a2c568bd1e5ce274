/** Runs the completion script in a real zsh at a terminal. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { commandTable } from '../../../src/cli/commands/table.ts';
import { contextsOf } from '../../../src/cli/completion/context.ts';
import { zshCompletion } from '../../../src/cli/completion/zsh.ts';
import { directoryWith } from '../../support/directory.ts';

const script = zshCompletion(contextsOf(commandTable));

/** Each line, and the same line after Tab. */
const cases: readonly (readonly [string, string])[] = [
  ['vifwatch pol', 'vifwatch policy '],
  ['vifwatch policy ex', 'vifwatch policy explain '],
  ['vifwatch policy explain --rel', 'vifwatch policy explain --relayed '],
  ['vifwatch agent ch', 'vifwatch agent check '],
  ['vifwatch agent check --ro', 'vifwatch agent check --root='],
  ['vifwatch status --js', 'vifwatch status --json '],
  ['vifwatch --config notes/mesh status --js', 'vifwatch --config notes/mesh status --json '],
  ['vifwatch --config no', 'vifwatch --config notes/'],
  ['vifwatch status --config=no', 'vifwatch status --config=notes/'],
  ['vifwatch policy check notes/', 'vifwatch policy check notes/deeper/'],
  ['vifwatch mesh check notes/m', 'vifwatch mesh check notes/mesh.toml '],
  ['vifwatch mesh compile -o no', 'vifwatch mesh compile -o notes/'],
  ['vifwatch call --tim', 'vifwatch call --timeout='],
  ['vifwatch call no', 'vifwatch call no'],
  ['vifwatch call vm svc -- ls notes/m', 'vifwatch call vm svc -- ls notes/mesh.toml '],
  ['vifwatch completion f', 'vifwatch completion fish '],
  ['vifwatch help me', 'vifwatch help mesh '],
];

/** Starts zsh at a pseudo-terminal, where Tab completes and ^X shows the line. */
const driver = `
zmodload zsh/zpty
zpty shell 'PS1= zsh -f -i'
zpty -w shell "show() { print -rn -- $'\\\\n'\\"<\\$BUFFER>\\"; zle kill-buffer }; zle -N show"
zpty -w shell "KEYTIMEOUT=1; bindkey '^X' show; bindkey '^I' complete-word"
zpty -w shell "autoload -Uz compinit; $1; print rea''dy"
zpty -r shell out '*ready*'
shift
for line in "$@"; do
  zpty -w -n shell "$line"$'\\t\\x18'
  zpty -r shell out '*\\<*\\>'
  print -r -- "\${\${out##*<}%%>*}"
done
zpty -d shell
`;

const afterTab = async (cwd: string, load: string, lines: readonly string[]) => {
  const argv = ['-f', '-c', driver, 'driver', load, ...lines];
  const { stdout } = await execa('zsh', argv, { cwd, timeout: 60_000 });
  return stdout.split('\n');
};

const files = (): string =>
  directoryWith({ 'notes/mesh.toml': '', 'notes/deeper/file': '', 'functions/_vifwatch': script });

test('zsh reports no errors in the script', async () => {
  const file = join(directoryWith(), 'script');
  writeFileSync(file, script);
  expect((await execa('zsh', ['-n', file])).stderr).toBe('');
});

describe('the script completes lines', () => {
  test('from a directory in fpath', async () => {
    const cwd = files();
    const load = 'fpath=($PWD/functions $fpath); compinit -u -D';
    const lines = cases.map(([line]) => line);
    expect(await afterTab(cwd, load, lines)).toEqual(cases.map(([, expected]) => expected));
  });

  test('after it was sourced', async () => {
    const load = 'compinit -u -D; source functions/_vifwatch';
    expect(await afterTab(files(), load, ['vifwatch pol'])).toEqual(['vifwatch policy ']);
  });
});

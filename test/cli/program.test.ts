/** The table of commands, and the command-line parser that is made from it. */
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import type { Command } from '../../src/cli/commands/command.ts';
import { commandTable } from '../../src/cli/commands/table.ts';
import { runCommandLine } from '../../src/cli/program.ts';
import { version } from '../../src/package.ts';

const { commands } = commandTable;

const nameOf = ({ path }: Command): string => path.join(' ');

const named = commands.map((command) => ({ name: nameOf(command), command }));

type Parsed = { readonly name: string; readonly values: Readonly<Record<string, unknown>> };

/** The command that a command line runs, with its values. */
const parse = async (line: string): Promise<readonly Parsed[]> => {
  const parsed: Parsed[] = [];
  await runCommandLine(commandTable, line.split(' ').slice(1), async (command, values) => {
    parsed.push({ name: nameOf(command), values });
  });
  return parsed;
};

const globals = { config: '/etc/vifwatch/vifwatch.toml', runtime: '/run/vifwatch' };

test('the table has every command', () => {
  expect(commands.map(nameOf)).toEqual([
    ...['run', 'status', 'export', 'check', 'panic', 'resume'],
    ...['agent', 'agent check', 'call', 'peers'],
    ...['policy check', 'policy explain', 'policy eval'],
    ...['audit', 'mesh compile', 'mesh check', 'completion'],
  ]);
});

test.each(named)('all options and arguments of "$name" have different names', ({ command }) => {
  const names = [...Object.keys(command.options), ...Object.keys(command.arguments)];
  expect(new Set([...names, ...Object.keys(globals)]).size).toBe(names.length + 2);
});

test.each(named.flatMap(({ name, command }) => command.examples.map(([line]) => ({ name, line }))))(
  'the example "$line" is a valid command line',
  async ({ name, line }) => {
    const lines = line.split(/ (?:[<>|]|&&) /).filter((part) => part.startsWith('vifwatch '));
    const parsed = (await Promise.all(lines.map(parse))).flat();
    expect(parsed).toHaveLength(lines.length);
    expect(parsed.map((option) => option.name)).toContain(name);
  },
);

describe('a command gets its options and arguments', () => {
  test.each([
    ['vifwatch run', globals],
    ['vifwatch --config a run --runtime b', { config: 'a', runtime: 'b' }],
    ['vifwatch run --debug', { ...globals, debug: true }],
    ['vifwatch status --json', { ...globals, json: true }],
    ['vifwatch check --root=r', { ...globals, root: 'r' }],
    ['vifwatch agent check --root r', { ...globals, root: 'r' }],
    ['vifwatch call vm svc+x', { ...globals, vm: 'vm', service: 'svc+x', program: [] }],
    [
      'vifwatch call vm svc --timeout 0.5 -- tar --json c',
      { ...globals, vm: 'vm', service: 'svc', program: ['tar', '--json', 'c'], timeout: 0.5 },
    ],
    ['vifwatch policy check', globals],
    ['vifwatch policy check d', { ...globals, dir: 'd' }],
    [
      'vifwatch policy explain web sign --relayed --self a',
      { ...globals, source: 'web', service: 'sign', relayed: true, self: 'a' },
    ],
    ['vifwatch mesh compile m -o out', { ...globals, mesh: 'm', output: 'out' }],
    ['vifwatch mesh compile --output out m', { ...globals, mesh: 'm', output: 'out' }],
    ['vifwatch completion fish', { ...globals, shell: 'fish' }],
  ])('%s', async (line, values) => {
    expect((await parse(line)).map((parsed) => parsed.values)).toEqual([values]);
  });
});

const main = new URL('../../dist/main.js', import.meta.url).pathname;

const run = async (line: string) => {
  const argv = [main, ...line.split(' ').filter((word) => word !== '')];
  const { exitCode, stdout, stderr } = await execa(process.execPath, argv, { reject: false });
  return { exitCode, stdout, stderr };
};

describe.concurrent('a wrong command line exits with 64', () => {
  test.each([
    ['', 'Usage: vifwatch [OPTIONS] COMMAND'],
    ['policy', 'Usage: vifwatch policy COMMAND'],
    ['statsu', "unknown command 'statsu'"],
    ['mesh chekc', "unknown command 'chekc'"],
    ['status --jsno', "unknown option '--jsno'"],
    ['status now', 'too many arguments'],
    ['agent chekc', 'too many arguments'],
    ['call vm', "missing required argument 'SERVICE[+ARGUMENT]'"],
    [
      'call vm svc word',
      'unexpected word "word"; write the argument of a service as SERVICE+ARGUMENT',
    ],
    ['call vm svc word -- tar c', 'unexpected word "word"'],
    ['call --timeout 0 vm svc', 'It must be a number of seconds above 0, up to 2000000.'],
    ['call --timeout 2000001 vm svc', 'It must be a number of seconds above 0, up to 2000000.'],
    ['mesh compile mesh.toml', "required option '-o, --output <DIR>' not specified"],
    ['completion tcsh', 'It must be one of bash, zsh, fish.'],
  ])('vifwatch %s', async (line, message) => {
    const { exitCode, stdout, stderr } = await run(line);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toContain(message);
  });
});

describe.concurrent('a request for help or the version exits with 0', () => {
  test('the version', async () => {
    expect(await run('--version')).toEqual({ exitCode: 0, stdout: version, stderr: '' });
  });

  test('the help of a command', async () => {
    expect(await run('help policy')).toEqual(await run('policy --help'));
    expect(await run('help mesh check')).toEqual(await run('mesh check --help'));
  });

  test.each(named)('the help of "$name"', async ({ name, command }) => {
    const { exitCode, stdout } = await run(`${name} --help`);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/\n\nExamples:\n.*\n\nExit status:\n.* 64 +wrong.*\n\nSee also: /s);
    expect(stdout.endsWith(`\nSee also: ${command.manual}`)).toBe(true);
  });
});

describe.concurrent('output that cannot be written ends a command with 70', () => {
  test('a full disk is named', async () => {
    const argv = ['-c', '"$@" >/dev/full', 'sh', process.execPath, main, 'completion', 'bash'];
    const { exitCode, stderr } = await execa('sh', argv, { reject: false });
    expect(exitCode).toBe(70);
    expect(stderr).toMatch(/^vifwatch: cannot write to standard output: ENOSPC.*$/);
  });

  test('a reader that has closed gets no message', async () => {
    // The reader closes before the program starts.
    const script = '{ sleep 0.2; "$@"; echo $? >&2; } | true';
    const argv = ['-c', script, 'sh', process.execPath, main, 'completion', 'bash'];
    expect((await execa('sh', argv)).stderr).toBe('70');
  });
});

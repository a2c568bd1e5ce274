/** The command line, made from the table of commands. */
import { Argument, Command as Commander, Option } from 'commander';
import { version } from '../package.ts';
import type { Command, CommandTable, Group } from './commands/command.ts';
import { type GlobalName, globalOptions } from './commands/global-options.ts';
import type {
  Argument as ArgumentEntry,
  Option as OptionEntry,
  Value,
} from './commands/parameter.ts';
import { commandEpilogue, groupEpilogue, placeholder, programEpilogue, usageOf } from './help.ts';

/** Runs a command with the values of its arguments and options, and of the global options, by their names. */
export type Perform = (
  command: Command,
  values: Readonly<Record<string, unknown>>,
) => Promise<void>;

const optionFrom = (name: string, option: OptionEntry): Option => {
  if (option.kind === 'flag') {
    return new Option(`--${name}`, option.summary).hideHelp(option.hidden === true);
  }
  const letter = option.kind === 'required' && option.letter ? `-${option.letter}, ` : '';
  const made = new Option(`${letter}--${name} <${placeholder(option)}>`, option.summary);
  made.argParser((text) => option.value.parse(text));
  if (option.kind === 'preset') made.default(option.preset);
  return made.makeOptionMandatory(option.kind === 'required');
};

const appendTo =
  ({ parse }: Value) =>
  (text: string, earlier: readonly unknown[] = []): readonly unknown[] => [...earlier, parse(text)];

const argumentFrom = (argument: ArgumentEntry): Argument => {
  const name = placeholder(argument);
  const { kind, summary, value } = argument;
  if (kind === 'rest') return new Argument(`[${name}...]`, summary).argParser(appendTo(value));
  const made = new Argument(kind === 'required' ? `<${name}>` : `[${name}]`, summary);
  return made.argParser((text) => value.parse(text));
};

/** Finds or creates the commander command for these words. */
const descend = (program: Commander, path: readonly string[]): Commander =>
  path.reduce(
    (parent, word) =>
      parent.commands.find((child) => child.name() === word) ?? parent.command(word),
    program,
  );

const addGroup = (program: Commander, group: Group): void => {
  descend(program, group.path)
    .summary(group.summary)
    .description(`${group.summary}.`)
    .usage('COMMAND')
    .addHelpText('after', () => `\n${groupEpilogue(group)}`);
};

/** A word before "--" that would be taken for the local program; undefined if there is none. */
const strayWord = (
  { arguments: entries }: Command,
  given: readonly unknown[],
  words: readonly string[],
): string | undefined => {
  const at = Object.values(entries).findIndex(({ kind }) => kind === 'rest');
  const taken = at < 0 ? [] : ((given[at] ?? []) as readonly unknown[]);
  const separator = words.indexOf('--');
  const separated = separator < 0 ? 0 : words.length - separator - 1;
  return taken.length > separated ? String(taken[0]) : undefined;
};

type Running = {
  readonly program: Commander;
  readonly perform: Perform;
  readonly words: readonly string[];
};

/** Adds the parameters, the action and the help of a command. */
const complete = (
  leaf: Commander,
  command: Command,
  { program, perform, words }: Running,
): void => {
  const { summary, details, options, globals } = command;
  leaf
    .description([`${summary}.`, details ?? ''].join(' ').trim())
    .addHelpText('after', () => `\n${commandEpilogue(command)}`);
  leaf.configureHelp({
    ...program.configureHelp(),
    commandUsage: () => usageOf(command),
    showGlobalOptions: true,
    visibleGlobalOptions: () =>
      program.options.filter(
        (option) => !option.hidden && globals.includes(option.name() as GlobalName),
      ),
  });
  for (const [name, option] of Object.entries(options)) leaf.addOption(optionFrom(name, option));
  const names = Object.keys(command.arguments);
  for (const argument of Object.values(command.arguments)) leaf.addArgument(argumentFrom(argument));
  leaf.action(async () => {
    const stray = strayWord(command, leaf.processedArgs, words);
    if (stray !== undefined) {
      const remedy =
        'write the argument of a service as SERVICE+ARGUMENT, and "--" before a local program';
      leaf.error(`error: unexpected word "${stray}"; ${remedy}`);
    }
    const given = names.flatMap((name, at) => {
      const value: unknown = leaf.processedArgs[at];
      return value === undefined ? [] : [[name, value] as const];
    });
    await perform(command, { ...leaf.optsWithGlobals(), ...Object.fromEntries(given) });
  });
};

/**
 * Runs a command. Rethrows the command's own errors.
 * @param words the command line after "vifwatch"
 * @throws CommanderError if the command line is wrong, and after help or the version
 */
export const runCommandLine = async (
  table: CommandTable,
  words: readonly string[],
  perform: Perform,
): Promise<void> => {
  const program = new Commander('vifwatch')
    .exitOverride()
    .description('Keeps dom0 out of the network and out of calls between VMs, on bare Xen.')
    .usage('[OPTIONS] COMMAND')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'Print the help of a command')
    .configureHelp({ subcommandTerm: (command) => command.name() })
    .addHelpText('after', () => `\n${programEpilogue(table)}`);
  for (const [name, option] of Object.entries(globalOptions)) {
    program.addOption(optionFrom(name, option));
  }
  for (const command of table.commands) {
    const leaf = descend(program, command.path).summary(command.summary);
    // The start takes less time without the options of other commands.
    if (words.includes(command.path[0])) complete(leaf, command, { program, perform, words });
  }
  for (const group of table.groups) addGroup(program, group);
  // commander's own "help" ignores the words after the first.
  const asksHelp = words[0] === 'help' && words.length > 2;
  await program.parseAsync(asksHelp ? [...words.slice(1), '--help'] : words, { from: 'user' });
};

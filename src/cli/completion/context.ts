/** The contexts of a command line: the words that may follow a command or group. All scripts use them. */
import { type CommandTable, heededOptions, visible } from '../commands/command.ts';
import { globalOptions } from '../commands/global-options.ts';
import { choice, type Options, required, type Value } from '../commands/parameter.ts';

type Word = { readonly name: string; readonly summary: string };

export type ContextOption = {
  /** The names with their dashes; the long name is the last. */
  readonly names: readonly string[];
  readonly summary: string;
  /** Undefined for a flag. */
  readonly value: Value | undefined;
  /** True if the option may stand anywhere on the command line. */
  readonly isGlobal: boolean;
};

export type ContextArgument = {
  readonly kind: 'required' | 'optional' | 'rest';
  readonly value: Value;
};

export type CompletionContext = {
  /** The words of the command or group; empty before the command. */
  readonly path: readonly string[];
  readonly commands: readonly Word[];
  readonly options: readonly ContextOption[];
  readonly arguments: readonly ContextArgument[];
};

const help: ContextOption = {
  names: ['-h', '--help'],
  summary: 'print the help of this command',
  value: undefined,
  isGlobal: true,
};

const versionOption: ContextOption = {
  names: ['-V', '--version'],
  summary: 'print the version',
  value: undefined,
  isGlobal: true,
};

const optionsOf = (options: Options): readonly ContextOption[] => [
  ...Object.entries(options).map(([name, option]) => {
    const letters = 'letter' in option && option.letter ? [`-${option.letter}`] : [];
    const value = option.kind === 'flag' ? undefined : option.value;
    return {
      names: [...letters, `--${name}`],
      summary: option.summary,
      value,
      isGlobal: name in globalOptions,
    };
  }),
  help,
];

/** Returns the context before the command first, then the others in the table's order. */
export const contextsOf = ({ commands, groups }: CommandTable): readonly CompletionContext[] => {
  const words = [...commands, ...groups];
  const below = (path: readonly string[]): readonly Word[] =>
    words
      .filter((word) => word.path.slice(0, -1).join(' ') === path.join(' '))
      .map(({ path: [...at], summary }) => ({ name: at.at(-1) ?? '', summary }));
  const top = below([]);
  const names = top.map(({ name }) => name);
  return [
    {
      path: [],
      commands: [...top, { name: 'help', summary: 'Print the help of a command' }],
      options: [...optionsOf(visible(globalOptions)), versionOption],
      arguments: [],
    },
    ...commands.map((command) => ({
      path: command.path,
      commands: below(command.path),
      options: optionsOf(heededOptions(command)),
      arguments: Object.values(command.arguments),
    })),
    ...groups.map(({ path }) => ({
      path,
      commands: below(path),
      options: [help],
      arguments: [],
    })),
    {
      path: ['help'],
      commands: [],
      options: [],
      arguments: [required(choice('command', names), '')],
    },
  ];
};

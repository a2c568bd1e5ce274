/** The usage line of a command, and the text of help below the options. */
import type { Command, CommandTable, Group } from './commands/command.ts';
import { wrongCommandLine } from './commands/exit-status.ts';
import type { Argument, Option } from './commands/parameter.ts';

/** The name of a value in help. */
export const placeholder = ({ value }: { readonly value: { readonly name: string } }): string =>
  value.name.toUpperCase();

const optionUsage = ([name, option]: readonly [string, Option]): string => {
  switch (option.kind) {
    case 'flag':
      return `[--${name}]`;
    case 'required':
      return `${option.letter === undefined ? `--${name}` : `-${option.letter}`} ${placeholder(option)}`;
    default:
      return `[--${name} ${placeholder(option)}]`;
  }
};

const argumentUsage = (argument: Argument): string => {
  switch (argument.kind) {
    case 'required':
      return placeholder(argument);
    case 'optional':
      return `[${placeholder(argument)}]`;
    case 'rest':
      return `[-- ${placeholder(argument)} ...]`;
  }
};

/** The command line without the global options. */
export const usageOf = ({ path, options, arguments: args }: Command): string =>
  [
    'vifwatch',
    ...path,
    ...Object.entries(options).map(optionUsage),
    ...Object.values(args).map(argumentUsage),
  ].join(' ');

const seeAlso = (pages: readonly string[]): string => `See also: ${pages.join(', ')}`;

/** Examples, exit statuses and the manual page of a command. */
export const commandEpilogue = ({ examples, exitStatuses, manual }: Command): string => {
  const at = exitStatuses.findIndex(([status]) => Number(status) > wrongCommandLine[0]);
  const statuses = exitStatuses.toSpliced(at < 0 ? exitStatuses.length : at, 0, wrongCommandLine);
  const width = Math.max(...statuses.map(([status]) => String(status).length));
  return [
    'Examples:',
    ...examples.flatMap(([line, effect]) => [`  ${line}`, `      ${effect}`]),
    '',
    'Exit status:',
    ...statuses.map(([status, meaning]) => `  ${String(status).padEnd(width)}  ${meaning}`),
    '',
    seeAlso([manual]),
  ].join('\n');
};

export const groupEpilogue = ({ manual }: Group): string => seeAlso([manual]);

/** The manual pages of all commands. */
export const programEpilogue = ({ commands }: CommandTable): string =>
  [
    '"vifwatch COMMAND --help" shows examples and exit statuses.',
    seeAlso([...new Set(commands.map(({ manual }) => manual))]),
  ].join('\n');

/** The usage line of a command. */
import type { Command } from './commands/command.ts';
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

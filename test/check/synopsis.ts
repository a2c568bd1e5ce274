/** The synopsis of a command in a man page. */
import type { Command } from '../../src/cli/commands/command.ts';
import type { Argument, Option, Value } from '../../src/cli/commands/parameter.ts';

/** `Ar name`, or `Ar name Ns Op + Ns Ar suffix` if the value has an optional part. */
const valueText = ({ name }: Value): string => {
  const [, stem = name, suffix] = name.match(/^(.+)\[\+(.+)\]$/) ?? [];
  return suffix === undefined ? `Ar ${stem}` : `Ar ${stem} Ns Op + Ns Ar ${suffix}`;
};

const optionLine = ([name, option]: readonly [string, Option]): string => {
  switch (option.kind) {
    case 'flag':
      return `.Op Fl -${name}`;
    case 'required':
      return `.Fl ${option.letter ?? `-${name}`} ${valueText(option.value)}`;
    default:
      return `.Op Fl -${name} ${valueText(option.value)}`;
  }
};

const argumentLine = ({ kind, value }: Argument): string => {
  switch (kind) {
    case 'required':
      return `.${valueText(value)}`;
    case 'optional':
      return `.Op ${valueText(value)}`;
    case 'rest':
      return `.Op Fl - ${valueText(value)} ...`;
  }
};

/** The mdoc lines of a command, without the global options, which vifwatch(8) lists once for all commands. */
export const synopsisOf = (command: Command): readonly string[] => [
  '.Nm vifwatch',
  `.Cm ${command.path.join(' ')}`,
  ...Object.entries(command.options).map(optionLine),
  ...Object.values(command.arguments).map(argumentLine),
];

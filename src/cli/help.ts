/** The text of help below the options. */
import type { Command, CommandTable, Group } from './commands/command.ts';
import { wrongCommandLine } from './commands/exit-status.ts';

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

/**
 * The synopses in a man page. Each is between two comment lines, and must agree with the table of commands.
 */
import type { Command } from '../../src/cli/commands/command.ts';
import { synopsisOf } from './synopsis.ts';

type Diagnostic = { readonly line: number; readonly text: string };

type Checked = {
  /** The page with updated synopses. */
  readonly text: string;
  readonly diagnostics: readonly Diagnostic[];
};

const begin = '.\\" synopsis of: ';
const end = '.\\" end of synopsis';

type Block = {
  readonly name: string;
  /** The index of its first line. */
  readonly at: number;
  readonly body: readonly string[];
  readonly isClosed: boolean;
};

const blockAt = (lines: readonly string[], at: number): Block => {
  const following = lines.slice(at + 1);
  const length = following.findIndex((line) => line === end || line.startsWith(begin));
  return {
    name: (lines[at] ?? '').slice(begin.length),
    at,
    body: following.slice(0, Math.max(length, 0)),
    isClosed: following[length] === end,
  };
};

const blocksOf = (lines: readonly string[]): readonly Block[] =>
  lines.flatMap((line, at) => (line.startsWith(begin) ? [blockAt(lines, at)] : []));

const nameOf = ({ path }: Command): string => path.join(' ');

const diagnosticsOf = ({ name, body, isClosed }: Block, command: Command | undefined): string[] => {
  if (command === undefined) return [`unknown command "${name}"`];
  if (!isClosed) return [`the synopsis of "${name}" has no end: add a line '${end}'`];
  const isCurrent = body.join('\n') === synopsisOf(command).join('\n');
  return isCurrent ? [] : [`the synopsis of "${name}" differs from the table of commands`];
};

/**
 * Checks a man page; a page without synopses has no diagnostics.
 * @param page its name as in a reference, such as "vifwatch(8)"; the page must have every command that
 * belongs to it
 */
export const checkSynopses = (
  page: string,
  text: string,
  commands: readonly Command[],
): Checked => {
  const lines = text.split('\n');
  const blocks = blocksOf(lines);
  const commandOf = (block: Block): Command | undefined =>
    commands.find((command) => nameOf(command) === block.name);
  const mended = blocks.toReversed().reduce((mending, block) => {
    const command = commandOf(block);
    if (command === undefined || !block.isClosed) return mending;
    return mending.toSpliced(block.at + 1, block.body.length, ...synopsisOf(command));
  }, lines);
  const missing = commands
    .filter(({ manual }) => blocks.length > 0 && manual === page)
    .map(nameOf)
    .filter((name) => !blocks.some((block) => block.name === name));
  return {
    text: mended.join('\n'),
    diagnostics: [
      ...blocks.flatMap((block) =>
        diagnosticsOf(block, commandOf(block)).map((text) => ({ line: block.at + 1, text })),
      ),
      ...missing.map((name) => ({ line: 1, text: `the page lacks the synopsis of "${name}"` })),
    ],
  };
};

/** The synopses in a manual page: each stands between two comment lines, and must be what the table of commands gives. */
import type { Command } from '../../src/cli/commands/command.ts';
import { synopsisOf } from './synopsis.ts';

type Fault = { readonly line: number; readonly text: string };

type Checked = {
  /** The page as it should be, as far as the faults can be mended by that. */
  readonly text: string;
  readonly faults: readonly Fault[];
};

const begin = '.\\" synopsis of: ';
const end = '.\\" end of synopsis';

type Block = {
  readonly name: string;
  /** Of the line that begins it, from 0. */
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

const faultOf = ({ name, body, isClosed }: Block, command: Command | undefined): string[] => {
  if (command === undefined) return [`unknown command "${name}"`];
  if (!isClosed) return [`the synopsis of "${name}" has no end: add a line '${end}'`];
  const isCurrent = body.join('\n') === synopsisOf(command).join('\n');
  return isCurrent ? [] : [`the synopsis of "${name}" is not what the command takes`];
};

/**
 * Checks a page with synopses; one without any has no fault.
 * @param page its name as in a reference, such as "vifwatch(8)": it must have every command that belongs to it.
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
    faults: [
      ...blocks.flatMap((block) =>
        faultOf(block, commandOf(block)).map((text) => ({ line: block.at + 1, text })),
      ),
      ...missing.map((name) => ({ line: 1, text: `the page lacks the synopsis of "${name}"` })),
    ],
  };
};

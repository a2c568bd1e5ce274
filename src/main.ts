/** The process of the command line: runs the command and ends with its status. */
import { CommanderError } from 'commander';
import { commandTable } from './cli/commands/table.ts';
import { type Perform, runCommandLine } from './cli/program.ts';
import { VifwatchError } from './errors.ts';

/** EX_USAGE, EX_CONFIG and EX_SOFTWARE of sysexits.h; 1 and 69 are answers of `status`. */
const exitCodeOf = (error: unknown): number => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 64;
  return error instanceof VifwatchError && error.code === 'CONFIG_INVALID' ? 78 : 70;
};

const complain = (error: unknown): void => {
  // commander has printed its own message already.
  if (error instanceof CommanderError) return;
  const code = error instanceof VifwatchError ? `${error.code}: ` : '';
  process.stderr.write(`vifwatch: ${code}${error instanceof Error ? error.message : error}\n`);
};

/** A reader that has closed needs no message. */
const endWithoutOutput = ({ code, message }: NodeJS.ErrnoException): void => {
  if (code !== 'EPIPE') complain(new Error(`cannot write to standard output: ${message}`));
  process.exit(70);
};

const perform: Perform = async (command, values) => {
  if (command.heedsOutput) process.stdout.off('error', endWithoutOutput);
  // The program parses exactly the parameters that the command declares.
  const status = await command.run(values as never);
  if (command.endsProcess) process.exit(status);
  process.exitCode = status;
};

process.stdout.on('error', endWithoutOutput);
// Without standard error, the exit status still tells what happened.
process.stderr.on('error', () => undefined);

try {
  await runCommandLine(commandTable, process.argv.slice(2), perform);
} catch (error) {
  complain(error);
  process.exitCode = exitCodeOf(error);
}

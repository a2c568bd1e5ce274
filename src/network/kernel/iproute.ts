/** Links, addresses, neighbours and routes through iproute2. */

import { attempt, CommandError, openStandby } from '../../system/command.ts';
import type { Firewall, KernelState } from '../state/kernel-state.ts';
import { parseListings } from '../text/ip-batch.ts';

/** A line of a batch that the kernel refused. */
type FailedLine = { readonly line: string; readonly message: string };

export type BatchResult = {
  readonly failed: readonly FailedLine[];
  /** What ip said if it gave up half way, as it does over a neighbour entry: some lines were not tried. */
  readonly gaveUp: string | undefined;
};

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** ip prints its messages, then `Command failed -:N`, for each line N that failed. */
const parseFailures = (lines: readonly string[], stderr: string) => {
  const failed: FailedLine[] = [];
  let messages: string[] = [];
  for (const said of linesOf(stderr)) {
    const number = /^Command failed -:(\d+)$/.exec(said)?.[1];
    if (number === undefined) {
      messages.push(said);
    } else {
      failed.push({ line: lines[Number(number) - 1] ?? '', message: messages.join('; ') });
      messages = [];
    }
  }
  return { failed, unexplained: messages.join('; ') };
};

export type IpBatches = {
  /** Runs all lines, going on after one that fails; throws CommandError if ip itself did not work. */
  readonly run: (lines: readonly string[]) => Promise<BatchResult>;
  /** Has an `ip` ready for the next batch; it knows nothing of the network before it reads a line. */
  readonly prepare: () => void;
  readonly close: () => void;
};

export const openIpBatches = (): IpBatches => {
  const { attempt, prepare, close } = openStandby(['ip', '-force', '-batch', '-']);
  const run: IpBatches['run'] = async (lines) => {
    if (lines.length === 0) return { failed: [], gaveUp: undefined };
    const { stderr, status } = await attempt(`${lines.join('\n')}\n`);
    const { failed, unexplained } = parseFailures(lines, stderr);
    // 2 is how ip exits from within a command; a batch that ran to its end exits with 0 or 1.
    return { failed, gaveUp: status > 1 ? unexplained : undefined };
  };
  return { run, prepare, close };
};

/** In the order of the Listings; "table all" is what makes ip show both families. */
const questions = [
  'link show',
  'addr show',
  'route show table all',
  'neigh show nud permanent',
  'neigh show proxy',
];

/** Everything of ours that iproute2 knows, and who is in its way; throws CommandError. */
export const observeLinks = async (): Promise<Omit<KernelState, keyof Firewall>> => {
  const argv = ['ip', '-j', '-batch', '-'];
  const { stdout, stderr, status } = await attempt(argv, `${questions.join('\n')}\n`);
  const answers = linesOf(stdout);
  if (status !== 0 || answers.length !== questions.length) {
    throw new CommandError(argv, `exit status ${status}`, stderr);
  }
  const [links = '', addresses = '', routes = '', neighbours = '', proxies = ''] = answers;
  return parseListings({ links, addresses, routes, neighbours, proxies });
};

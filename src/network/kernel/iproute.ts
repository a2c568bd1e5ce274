/** Links, addresses, neighbours and routes through iproute2. */

import { attempt, CommandError, openStandby } from '../../system/command.ts';
import type { Firewall, KernelState } from '../state/kernel-state.ts';
import { parseListings } from '../text/ip-batch.ts';
import { linksWithRules, listSettings } from './link-settings.ts';
import { nameServers } from './resolver.ts';
import { tcLinks } from './traffic-control.ts';

/** A line of a batch that the kernel refused. */
type FailedLine = { readonly line: string; readonly message: string };

export type BatchResult = {
  readonly failed: readonly FailedLine[];
  /**
   * ip's message if it stopped in the middle, as it does at a neighbour entry that fails: the later lines
   * did not run. Undefined if ip ran the whole batch.
   */
  readonly gaveUp: string | undefined;
};

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** For each failed line N, ip prints its messages and then `Command failed -:N`. */
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

type IpBatches = {
  /**
   * Runs all lines and continues after a line that fails.
   * @throws CommandError if ip itself does not work
   */
  readonly run: (lines: readonly string[]) => Promise<BatchResult>;
  /** Starts an `ip` that waits for the next batch. It reads no network state before its first line. */
  readonly prepare: () => void;
  readonly close: () => void;
};

/** Runs `ip -batch`. A process that waits for the next batch saves ip's start time. */
export const openIpBatches = (): IpBatches => {
  const { attempt, prepare, close } = openStandby(['ip', '-force', '-batch', '-']);
  const run: IpBatches['run'] = async (lines) => {
    if (lines.length === 0) return { failed: [], gaveUp: undefined };
    const { stderr, status } = await attempt(`${lines.join('\n')}\n`);
    const { failed, unexplained } = parseFailures(lines, stderr);
    // ip exits with 2 if it stops within a command, and with 0 or 1 if it ran the whole batch.
    return { failed, gaveUp: status > 1 ? unexplained : undefined };
  };
  return { run, prepare, close };
};

/** In the order in which `observeLinks` reads the answers. Only "table all" makes ip show both families. */
const questions = [
  'link show',
  'addr show',
  'route show table all',
  'neigh show nud permanent',
  'neigh show proxy',
];

/**
 * Reads links, addresses, routes and neighbour entries, and which foreign routes shadow the daemon's routes.
 * @throws CommandError
 */
export const observeLinks = async (): Promise<Omit<KernelState, keyof Firewall>> => {
  const argv = ['ip', '-j', '-batch', '-'];
  const { stdout, stderr, status } = await attempt(argv, `${questions.join('\n')}\n`);
  const answers = linesOf(stdout);
  if (status !== 0 || answers.length !== questions.length) {
    throw new CommandError(argv, `exit status ${status}`, stderr);
  }
  const [links = '', addresses = '', routes = '', neighbours = '', proxies = ''] = answers;
  return parseListings({
    ...{ links, addresses, routes, neighbours, proxies },
    settings: listSettings(),
    ruled: linksWithRules(),
    tcLinks,
    nameServers: nameServers(),
  });
};

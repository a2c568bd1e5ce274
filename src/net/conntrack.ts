/** Connection tracking: forgetting flows. */
import { attempt, CommandError } from './command.ts';

/** Cuts every tracked flow from or to an address or prefix; throws CommandError. */
export const cutFlows = async (prefix: string): Promise<void> => {
  const family = prefix.includes(':') ? 'ipv6' : 'ipv4';
  for (const side of ['-s', '-d']) {
    const argv = ['conntrack', '-D', '-f', family, side, prefix];
    const { stderr, status } = await attempt(argv);
    // Status 1 is also what conntrack says when there was nothing to delete.
    const done = status === 0 || /\b\d+ flow entries have been deleted/.test(stderr);
    if (!done) throw new CommandError(argv, `exit status ${status}`, stderr);
  }
};

/** Network namespaces into which exported rules are loaded. */
import assert from 'node:assert/strict';
import type { Output } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';

/** Makes a network namespace without any rules; the result runs programs in it. */
export const makeEmpty = async (host: SimHost, name: string) => {
  const run = (argv: readonly string[]): Promise<Output> => host.sim.run(argv, { domid: 2 });
  const made = await run(host.sim.inRig(['ip', 'netns', 'add', name]));
  assert.equal(made.status, 0, made.stderr);
  return async (argv: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await run(host.sim.inNamespace(name, argv));
    assert.equal(status, 0, `${argv.join(' ')}: ${stderr}`);
    return stdout;
  };
};

/** Sorted words: nft lists set elements by their hash and may put braces around a single element. */
export const sortedWords = (listing: string): string =>
  listing
    .split(/[\s,{}]+/)
    .sort()
    .join('\n');

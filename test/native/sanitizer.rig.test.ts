import { execa } from 'execa';
import { expect, test } from 'vitest';
import { buildPeer } from '../ipc/vchan/ends.ts';
import { printFigures } from '../support/figures.ts';
import { netVm, startDomains } from './domains.ts';
import { runChild } from './run-child.ts';
import {
  buildLeak,
  buildSanitized,
  sanitizedEnvironment,
  sanitizedRoot,
  sanitizerReports,
} from './sanitized.ts';

// "requests pend for ever" is not among the ends: it calls exit(), which frees nothing.
const runs: readonly (readonly [child: string, ...args: string[]])[] = [
  ['stress'],
  ['collected', 'forget'],
  ['ends', 'nothing is due'],
  ['ends', 'closed, with a request that pends for ever', 'hang'],
  ['ends', 'a callback throws'],
  ['worker-main', 'watch', '2'],
  ['worker-main', 'storm', '2'],
  ['worker-main', 'pending', '2', 'hang'],
  ['spawn'],
  ['vchan', `${netVm}`],
  ['vchan-hostile', `${netVm}`, 'peer'],
];

/** The sanitizers' runtime must be loaded first. */
const withBoth = (
  env: Record<string, string>,
  sanitizers: Record<string, string>,
): Record<string, string> => {
  const preload = [sanitizers['LD_PRELOAD'], env['LD_PRELOAD']].filter(Boolean).join(' ');
  return { ...env, ...sanitizers, LD_PRELOAD: preload };
};

test('no sanitizer has anything to say', async () => {
  await buildSanitized();
  const peer = await buildPeer();
  const sanitizers = await sanitizedEnvironment();
  let programs = 0;
  for (const [child, ...args] of runs) {
    const { env, xenstored } = await startDomains('xenstored');
    const given: Record<string, string> = { hang: `${xenstored.pid}`, peer };
    const isVchan = child.startsWith('vchan');
    const outcome = await runChild(child, {
      args: args.map((arg) => given[arg] ?? arg),
      env: withBoth(env({ domid: netVm, hypercalls: isVchan }), sanitizers),
      root: sanitizedRoot,
    }).catch((error: unknown) => error);
    // These tell more than how the program ended.
    expect(sanitizerReports()).toEqual([]);
    expect(outcome).not.toBeInstanceOf(Error);
    if (isVchan) expect(outcome).toEqual([]);
    programs += 1;
  }
  printFigures({ programs, reports: sanitizerReports().length });
  // They would have.
  const env = withBoth({ LD_PRELOAD: await buildLeak() }, sanitizers);
  await execa(process.execPath, ['-e', '0'], { env });
  expect(sanitizerReports()).toEqual([expect.stringContaining('1000 byte(s) in 10 object(s)')]);
});

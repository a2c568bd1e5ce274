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

// "requests never get an answer" is left out of the ends: it calls exit(), which frees no memory.
const runs: readonly (readonly [child: string, ...args: string[]])[] = [
  ['stress'],
  ['collected', 'forget'],
  ['ends', 'no request is pending'],
  ['ends', 'the connection is closed while requests wait', 'hang'],
  ['ends', 'a callback throws'],
  ['worker-main', 'watch', '2'],
  ['worker-main', 'storm', '2'],
  ['worker-main', 'pending', '2', 'hang'],
  ['spawn'],
  ['vchan', `${netVm}`],
  ['vchan-hostile', `${netVm}`, 'peer'],
];

/**
 * Joins two environments. The sanitizers' runtime comes first in LD_PRELOAD, since it must be loaded first.
 */
const withBoth = (
  env: Record<string, string>,
  sanitizers: Record<string, string>,
): Record<string, string> => {
  const preload = [sanitizers['LD_PRELOAD'], env['LD_PRELOAD']].filter(Boolean).join(' ');
  return { ...env, ...sanitizers, LD_PRELOAD: preload };
};

test('the sanitizers report no error and no leak of the addon', async () => {
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
    // The reports say more than the program's exit status.
    expect(sanitizerReports()).toEqual([]);
    expect(outcome).not.toBeInstanceOf(Error);
    if (isVchan) expect(outcome).toEqual([]);
    programs += 1;
  }
  printFigures({ programs, reports: sanitizerReports().length });
  // The sanitizers do report a leak of a preloaded library.
  const env = withBoth({ LD_PRELOAD: await buildLeak() }, sanitizers);
  await execa(process.execPath, ['-e', '0'], { env });
  expect(sanitizerReports()).toEqual([expect.stringContaining('1000 byte(s) in 10 object(s)')]);
});

/** Programs that use a sanitized copy of the addon in every way. */
import { expect } from 'vitest';
import { buildPeer } from '../ipc/vchan/ends.ts';
import { netVm, startDomains } from './domains.ts';
import { runChild } from './run-child.ts';
import {
  buildSanitized,
  type SanitizedKind,
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
  ['traffic-control'],
  ['vchan', `${netVm}`],
  ['vchan-hostile', `${netVm}`, 'peer'],
];

/**
 * Joins two environments. The sanitizers' runtime comes first in LD_PRELOAD, since it must be loaded first.
 */
export const withBoth = (
  env: Record<string, string>,
  sanitizers: Record<string, string>,
): Record<string, string> => {
  const preload = [sanitizers['LD_PRELOAD'], env['LD_PRELOAD']].filter(Boolean).join(' ');
  return { ...env, ...sanitizers, LD_PRELOAD: preload };
};

/**
 * Builds the copy and runs all programs with it, none of which may cause a report; resolves with the number of
 * programs.
 */
export const runSanitized = async (kind: SanitizedKind): Promise<number> => {
  await buildSanitized(kind);
  const peer = await buildPeer();
  const sanitizers = await sanitizedEnvironment(kind);
  for (const [child, ...args] of runs) {
    const { env, xenstored } = await startDomains('xenstored');
    const given: Record<string, string> = { hang: `${xenstored.pid}`, peer };
    const isVchan = child.startsWith('vchan');
    const outcome = await runChild(child, {
      args: args.map((arg) => given[arg] ?? arg),
      env: withBoth(env({ domid: netVm, hypercalls: isVchan }), sanitizers),
      root: sanitizedRoot(kind),
      runner: child === 'traffic-control' ? ['unshare', '--net'] : [],
    }).catch((error: unknown) => error);
    // The reports say more than the program's exit status.
    expect(sanitizerReports(kind)).toEqual([]);
    expect(outcome).not.toBeInstanceOf(Error);
    if (isVchan) expect(outcome).toEqual([]);
  }
  return runs.length;
};

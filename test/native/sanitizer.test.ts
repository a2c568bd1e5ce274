import { expect, test } from 'vitest';
import { netVm, startDomains } from './domains.ts';
import { runChild } from './run-child.ts';
import {
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
];

test('no sanitizer has anything to say', { timeout: 240_000 }, async () => {
  await buildSanitized();
  const sanitizers = await sanitizedEnvironment();
  for (const [child, ...args] of runs) {
    const { env, xenstored } = await startDomains('xenstored');
    const outcome = await runChild(child, {
      args: args.map((arg) => (arg === 'hang' ? `${xenstored.pid}` : arg)),
      env: { ...env({ domid: netVm }), ...sanitizers },
      root: sanitizedRoot,
    }).catch((error: unknown) => error);
    // These tell more than how the program ended.
    expect(sanitizerReports()).toEqual([]);
    expect(outcome).not.toBeInstanceOf(Error);
  }
});

/** Vifs that are brought up together, with programs that fail for one of them. */
import { expect, test } from 'vitest';
import { bringUp } from '../../../src/network/daemon/bring-up.ts';
import type { BatchResult } from '../../../src/network/kernel/iproute.ts';
import type { Network } from '../../../src/network/kernel/network.ts';
import { CommandError } from '../../../src/system/command.ts';
import { linkNameOf } from '../../support/link-name.ts';
import { modelOf, planFor } from '../plan/model-kernel.ts';
import { backendVif } from '../store-fixture.ts';

const model = modelOf([3, 4].map((domid) => backendVif(domid)));
const { bringUp: openings, host } = planFor(model);
const bringUps = openings.flatMap((opening) => {
  const vif = model.vifs.get(opening.served.key);
  return vif === undefined ? [] : [{ ...opening, vif }];
});

const overdue = new CommandError(['ip'], 'no answer within 10 s', '');

const openFakes = () => {
  const calls: string[] = [];
  const fakes = {
    ip: async (_lines: readonly string[]): Promise<BatchResult> => ({
      failed: [],
      gaveUp: undefined,
    }),
    nft: async (): Promise<void> => {},
  };
  const network = {
    linkNames: () => new Set(model.kernel.links.keys()),
    hardenVif: () => {},
    nft: { add: () => fakes.nft() },
    ipBatches: { run: (lines: readonly string[]) => fakes.ip(lines) },
  } as unknown as Network;
  const run = (gateways: readonly string[] = [], todo: typeof bringUps = bringUps) =>
    bringUp(
      { bringUps: todo, host, gateways },
      {
        network,
        backend: {
          markConnected: async (vifs: (typeof bringUps)[number]['vif'][]) =>
            vifs.map(({ key }) => key),
          hintMtu: async () => {},
        } as never,
        added: ({ replaced }) => calls.push(`added ${replaced.length}`),
        doubted: ({ replaced }) => calls.push(`doubted ${replaced.length}`),
        mtuRefused: () => {},
      },
    );
  return { fakes, run, calls };
};

const outcomesOf = (results: Awaited<ReturnType<typeof bringUp>>) =>
  results.map(({ vif: { key }, outcome }) => [
    key,
    typeof outcome === 'object' ? outcome.code : outcome,
  ]);

test('an ip that does not answer for one vif fails that vif only', async () => {
  const { fakes, run } = openFakes();
  fakes.ip = async (lines) => {
    if (lines.some((line) => line.includes('vif3.0'))) throw overdue;
    return { failed: [], gaveUp: undefined };
  };
  const results = await run();
  expect(outcomesOf(results)).toEqual([
    ['3/0', 'LINK_FAILED'],
    ['4/0', 'open'],
  ]);
  expect(results[0]?.outcome).toMatchObject({ text: 'ip: ip: no answer within 10 s' });
});

test('an ip that does not answer when it renames a link fails that vif only', async () => {
  const { fakes, run } = openFakes();
  fakes.ip = async (lines) => {
    if (lines.some((line) => / name web /.test(line))) throw overdue;
    const failed = lines
      .filter((line) => line.includes('dev web'))
      .map((line) => ({ line, message: 'no such link' }));
    return { failed, gaveUp: undefined };
  };
  const [first, ...others] = bringUps;
  if (first === undefined) throw new Error('there is no vif');
  const renamed = { ...first, served: { ...first.served, link: linkNameOf('web') } };
  expect((await run([], [renamed, ...others])).at(-1)?.outcome).toBe('open');
});

test('an ip that does not answer for a gateway alone is a failure of no vif', async () => {
  const { fakes, run } = openFakes();
  fakes.ip = () => Promise.reject(overdue);
  await expect(run(['10.0.5.1'], [])).rejects.toBe(overdue);
});

test('rules that nft may have taken before it failed are doubted, and none is recorded', async () => {
  const { fakes, run, calls } = openFakes();
  fakes.nft = () => Promise.reject(new CommandError(['nft'], 'killed by SIGKILL', ''));
  const changed = bringUps.map((one) => {
    const { link } = one.served;
    return { ...one, replaced: [{ set: 'out', link, chain: 'out-web-0123456789ab' } as const] };
  });
  const results = await run([], changed);
  expect(outcomesOf(results)).toEqual([
    ['3/0', 'FIREWALL_FAILED'],
    ['4/0', 'FIREWALL_FAILED'],
  ]);
  expect(calls).toEqual(['doubted 2', 'doubted 1', 'doubted 1']);
});

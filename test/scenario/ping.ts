/** Pings that show which VM reaches which address. */
import assert from 'node:assert/strict';
import type { Host, Output, VmSpec } from '../rig/host.ts';
import { until } from '../support/until.ts';

/** The sender of pings: a VM, or net-vm. */
export type Pinger = { readonly host: Host; readonly from: VmSpec | 'net-vm' };

const run = ({ host, from }: Pinger, argv: readonly string[]): Promise<Output> =>
  from === 'net-vm' ? host.inNetVm(argv) : host.inVm(from.name, argv);

export type Count = { readonly sent: number; readonly received: number };

/** Pings `times` times, from `source` if it is given, and waits at most a second for each reply. */
export const ping = async (
  pinger: Pinger,
  target: string,
  times: number,
  source?: string,
): Promise<Count> => {
  const options = ['-c', `${times}`, '-i', '0.1', '-W', '1', ...(source ? ['-I', source] : [])];
  const { stdout, stderr } = await run(pinger, ['busybox', 'ping', ...options, target]);
  const counts = /(\d+) packets transmitted, (\d+) packets received/.exec(stdout);
  // Without a route, ping sends nothing and prints no counts.
  if (!counts) assert.match(stderr, /unreachable/i);
  const [sent = 0, received = 0] = counts?.slice(1).map(Number) ?? [];
  return { sent, received };
};

/** Waits until all targets answer. */
export const assertReaches = async (pinger: Pinger, ...targets: string[]): Promise<void> => {
  for (const target of targets) {
    const answers = async (): Promise<boolean> => (await ping(pinger, target, 1)).received > 0;
    await until(`${nameOf(pinger)} reaches ${target}`, answers);
  }
};

/** Asserts that no target answers. */
export const assertDoesNotReach = async (pinger: Pinger, ...targets: string[]): Promise<void> => {
  const counts = await Promise.all(targets.map((target) => ping(pinger, target, 2)));
  targets.forEach((target, index) => {
    assert.equal(counts[index]?.received, 0, `${nameOf(pinger)} reaches ${target}`);
  });
};

const nameOf = ({ from }: Pinger): string => (from === 'net-vm' ? from : from.name);

/**
 * Pings ten times a second until `assertUninterrupted`, which fails if a reply is missing. A reply may be
 * late, because a busy machine may take seconds for it. The pings end by themselves when ping fails, for
 * example after the host's end.
 */
export const pingThroughout = (pinger: Pinger, target: string) => {
  let wanted = true;
  const loop = async (): Promise<Count> => {
    const total = { sent: 0, received: 0 };
    while (wanted) {
      const argv = ['busybox', 'ping', '-c', '10', '-i', '0.1', '-W', '10', target];
      const { stdout } = await run(pinger, argv);
      const counts = /(\d+) packets transmitted, (\d+) packets received/.exec(stdout);
      if (!counts) return { ...total, sent: total.sent + 1 };
      total.sent += Number(counts[1]);
      total.received += Number(counts[2]);
    }
    return total;
  };
  const counted = loop();
  // A test that fails earlier never awaits the result, which may be an error.
  counted.catch(() => undefined);
  return {
    assertUninterrupted: async (): Promise<void> => {
      wanted = false;
      const { sent, received } = await counted;
      assert.equal(received, sent, `${nameOf(pinger)} lost packets to ${target}`);
    },
  };
};

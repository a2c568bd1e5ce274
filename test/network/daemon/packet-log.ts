/**
 * Finds the packets to one port that nftables' "log" reports. The kernel's log is no source for this: it
 * belongs to the machine, and other network namespaces log there only with a machine-wide setting. The kernel
 * traces the packets instead.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { until } from '../../support/until.ts';

/** A logged packet; `in` or `out` is undefined if the packet has no such link. */
export type LoggedPacket = {
  readonly prefix: string;
  readonly in: string | undefined;
  readonly out: string | undefined;
  readonly source: string | undefined;
};

/** Reads a trace: each packet's header for each hook, then each rule that the packet matched. */
const readTrace = (trace: string) => {
  const headers = new Map<string, string>();
  const logged: LoggedPacket[] = [];
  let dropped = 0;
  for (const line of trace.split('\n')) {
    const [, id = '', said = ''] = /^trace id (\w+) inet vifwatch \S+ (.*)/.exec(line) ?? [];
    if (said.startsWith('packet: ')) headers.set(id, said);
    if (said.endsWith('(verdict drop)')) dropped += 1;
    // A rule whose limit is exceeded does not match.
    const [, prefix] = /^rule .*log prefix "([^"]*)".*\(verdict continue\)$/.exec(said) ?? [];
    if (prefix === undefined) continue;
    const of = (pattern: RegExp) => pattern.exec(headers.get(id) ?? '')?.[1];
    logged.push({
      prefix,
      in: of(/ iif "([^"]+)"/),
      out: of(/ oif "([^"]+)"/),
      source: of(/ ip6? saddr (\S+)/),
    });
  }
  return { logged, dropped };
};

const tracing = (port: number): string =>
  `table inet traced { chain arrivals {
    type filter hook prerouting priority -1000; udp dport ${port} meta nftrace set 1; }; }`;

/** Whether a process has joined a netlink group: the Pid and Groups columns of its namespace's table. */
const isListening = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/net/netlink`, 'latin1')
    .split('\n')
    .map((row) => row.trim().split(/\s+/))
    .some(([, , owner, groups = '0']) => Number(owner) === pid && Number.parseInt(groups, 16) > 0);

/**
 * Calls `send`, all of whose packets net-vm must drop; resolves with the packets that net-vm logged.
 * @param count the number of UDP packets to the port that `send` sends
 */
export const loggedAmong = async (
  { sim, netVm, inNetVm }: SimHost,
  { port, count }: { readonly port: number; readonly count: number },
  send: () => Promise<unknown>,
): Promise<readonly LoggedPacket[]> => {
  const { status, stderr } = await inNetVm(['nft', tracing(port)]);
  assert.equal(status, 0, stderr);
  const argv = sim.inNamespace(namespaceOf(netVm), ['nft', 'monitor', 'trace']);
  const monitor = sim.start('trace', argv, { domid: netVm });
  await until('the trace monitor listens', () => isListening(monitor.pid));
  await send();
  await until(`${count} packets are dropped`, () => readTrace(monitor.log()).dropped >= count);
  await monitor.kill();
  return readTrace(monitor.log()).logged;
};

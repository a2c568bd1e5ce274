/** The state of net-vm that a hand-over must not change, and the events that it must not cause. */
import { filter, type Subscription } from 'rxjs';
import type { SimHost } from '../rig/sim/sim-host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { inNetVm } from '../scenario/vms.ts';

/**
 * The conntrack ids of the flows from `flows.ts` and `connections.ts` to these ports, by protocol and ends. A
 * flow that is cut and begins again has another id.
 */
export const connectionsOf = async (
  host: SimHost,
  ports: readonly number[],
): Promise<ReadonlyMap<string, string>> => {
  const flow = new RegExp(
    `^(\\S+) .*? (src=\\S+ dst=\\S+ (?:sport=\\d+ dport=(?:${ports.join('|')})|type=8 code=0 id=${0x7777})) .* id=(\\d+)$`,
  );
  const entries = new Map<string, string>();
  for (const family of ['ipv4', 'ipv6']) {
    const list = await inNetVm(host, ['conntrack', '-L', '-f', family, '-o', 'id']);
    for (const line of list.split('\n')) {
      const [, protocol, ends, id] = flow.exec(line.trim()) ?? [];
      if (id !== undefined) entries.set(`${protocol} ${ends}`, id);
    }
  }
  return entries;
};

/** One line for each vif's link: its flags, its state, and the number of carrier changes. */
export const linksOf = async (host: SimHost): Promise<readonly string[]> => {
  const script = `cd /sys/class/net
for link in vif*; do
  read flags <$link/flags; read state <$link/operstate; read changes <$link/carrier_changes
  echo "$link $flags $state $changes"
done`;
  return (await inNetVm(host, ['sh', '-c', script])).trim().split('\n');
};

const backends = '/local/domain/2/backend/vif';

/** All nodes of all backend directories. */
export const backendsOf = (host: SimHost): Promise<ReadonlyMap<string, string>> =>
  host.dom0.tree(backends);

export type Events = {
  /** The kernel's events about vifs' links since the last call. */
  readonly ofLinks: () => readonly string[];
  /** The `hotplug-status` nodes that were written since the last call. */
  readonly ofStatus: () => readonly string[];
};

/** Begins to watch. The events of vifs that are attached later show that the watch has begun. */
export const watchEvents = (host: SimHost): Events & { readonly stop: () => void } => {
  const command = host.sim.inNamespace(namespaceOf(2), ['ip', '-o', 'monitor', 'link']);
  const monitor = host.sim.start('link-events', command, { domid: 2 });
  let linesSeen = 0;
  let written: string[] = [];
  const watching: Subscription = host.dom0
    .watch(backends)
    .pipe(filter((path) => path.endsWith('/hotplug-status')))
    .subscribe((path) => written.push(path));
  return {
    ofLinks: () => {
      const lines = monitor.log().split('\n').slice(0, -1);
      const fresh = lines.slice(linesSeen).filter((line) => /: vif\d/.test(line));
      linesSeen = lines.length;
      return fresh;
    },
    ofStatus: () => {
      const fresh = written;
      written = [];
      return fresh;
    },
    stop: () => watching.unsubscribe(),
  };
};

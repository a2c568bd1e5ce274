/** The interfaces of the daemon in net-vm: its JSON document, rules, xenstore nodes and exit statuses. */
import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type SimHost, startSimHost } from '../rig/sim/sim-host.ts';
import { writeVif } from '../rig/sim/toolstack.ts';
import { until } from '../support/until.ts';
import { expectGolden, jsonLines } from './golden.ts';
import { nodesBelow } from './nodes.ts';

const config = `uplink = ["eth0"]
gateway = ["10.0.5.1", "fd00:5::1"]
masquerade = true
mss_clamp = true
[[forward]]
proto = "tcp"
port = 8080
to = "10.0.5.30"
toport = 80
`;

const policy = `[[rule]]
action = "accept"
dst4 = ["192.0.2.0/24"]
proto = "tcp"
dstports = [80, "8000-8080"]
limit = "10/second"
log = true
comment = "the web"

[[rule]]
action = "drop"
specialtarget = "uplink"
log = true

[[rule]]
action = "accept"
direction = "in"
srcvm = "claimer"
`;

let host: SimHost;

const macOf = (domid: number): string => `00:16:3e:05:00:0${domid}`;

const backend = (domid: number): string => `/local/domain/2/backend/vif/${domid}/0`;

/** Makes a VM with a vif, which the daemon may refuse. */
const makeVm = async (name: string, ip: string): Promise<number> => {
  const guest = await host.create({ name });
  await writeVif(host.dom0, { guest, devid: 0, backend: 2 }, { mac: macOf(guest), ip });
  await until(`netback has probed the vif of ${name}`, async () => {
    return !['1', undefined].includes(await host.read(`${backend(guest)}/state`));
  });
  return guest;
};

const isServed = (guest: number): Promise<void> =>
  until(`the vif of ${guest} is connected`, async () => {
    return (await host.read(`${backend(guest)}/state`)) === '4';
  });

/** An ARP request for the gateway's address from a foreign address. */
const spoofedArp = (domid: number): string => {
  const mac = macOf(domid).replaceAll(':', '');
  return `ffffffffffff${mac}08060001080006040001${mac}c000024d0000000000000a000501`;
};

beforeAll(async () => {
  host = await startSimHost({ store: 'xenstored', config });
  writeFileSync(`${host.daemon.policies}/web.toml`, policy);
  await makeVm('web', '10.0.5.30 fd00:5::30 10.9.0.0/24');
  await host.startDaemon();
  await isServed(3);
  await makeVm('bad', '10.0.5.30');
  await isServed(await makeVm('claimer', '10.0.5.32'));
  const claim = ['xenstore-write', 'device/vif/0/ip', '6.6.6.6'];
  expect((await host.inVm('claimer', claim)).status).toBe(0);
  // The daemon does not watch frontend nodes, so it finds the guest's claim only at its start.
  await host.signalDaemon('SIGKILL');
  await host.startDaemon();
});
afterAll(() => host.close());

type Document = {
  readonly vifs: readonly { readonly claim: unknown; readonly error: unknown }[];
  readonly drops: Readonly<Record<string, number>>;
};

/**
 * Sends spoofed ARP, and resolves with whether it is counted; the VM's link may not be up at the first call.
 */
const countsSpoofed = async ({ drops }: Document): Promise<boolean> => {
  if ((drops['arp_foreign_ip'] ?? 0) > 0) return true;
  await host.sendFrames('web', [spoofedArp(3)]);
  return false;
};

test('status --json has this document: a served vif, a closed vif, a vif with a false claim, and drops', async () => {
  let text = '';
  await until('the status shows all vifs, the claim and the drops', async () => {
    text = (await host.inNetVm(['vifwatch', 'status', '--json'])).stdout;
    const document = JSON.parse(text) as Document;
    const [, bad, claimer] = document.vifs;
    return Boolean(bad?.error) && Boolean(claimer?.claim) && (await countsSpoofed(document));
  }).catch((cause: unknown) => {
    throw new Error(text, { cause });
  });
  await expectGolden('status', jsonLines(text));
});

type Listed = Readonly<Record<string, unknown>>;

const kinds: Readonly<Record<string, readonly string[]>> = {
  table: ['family', 'name'],
  chain: ['family', 'table', 'name', 'type', 'hook', 'prio', 'policy'],
  set: ['family', 'table', 'name', 'type', 'flags'],
  map: ['family', 'table', 'name', 'type', 'map', 'flags'],
  counter: ['family', 'table', 'name'],
};

/** All log prefixes in this part of a ruleset. */
const logPrefixes = (part: unknown): readonly string[] => {
  if (typeof part !== 'object' || part === null) return [];
  const { log } = part as { log?: { prefix?: string } | null };
  const own = log?.prefix === undefined ? [] : [`log ${JSON.stringify(log.prefix)}`];
  return [...own, ...Object.values(part).flatMap(logPrefixes)];
};

/** The kernel's ruleset objects, one line each. */
const ruleset = async (): Promise<readonly string[]> => {
  const { stdout } = await host.inNetVm(['nft', '-j', 'list', 'ruleset']);
  const { nftables } = JSON.parse(stdout) as {
    nftables: readonly Readonly<Record<string, Listed>>[];
  };
  const lines = nftables.flatMap((listed) => {
    const [kind = '', body = {}] = Object.entries(listed)[0] ?? [];
    const shown = (kinds[kind] ?? []).filter((key) => body[key] !== undefined);
    const words = shown.map((key) => {
      const value = body[key];
      return ['family', 'table', 'name'].includes(key) ? value : `${key}=${JSON.stringify(value)}`;
    });
    return [...(shown.length > 0 ? [[kind, ...words].join(' ')] : []), ...logPrefixes(listed)];
  });
  return [...new Set(lines)].sort();
};

test('the ruleset has these tables, chains, sets, maps, counters and log prefixes', async () =>
  expectGolden('ruleset', await ruleset()));

test('panic adds these tables and chains', async () => {
  const without = await ruleset();
  await host.inNetVm(['vifwatch', 'panic']);
  const added = (await ruleset()).filter((line) => !without.includes(line));
  await host.inNetVm(['vifwatch', 'resume']);
  expect(await ruleset()).toEqual(without);
  await expectGolden('ruleset-panic', added);
});

/** The daemon's nodes below these paths, and the state that netback publishes after them. */
const daemonNodes = async (...tops: readonly string[]): Promise<readonly string[]> => {
  const nodes = await Promise.all(tops.map((top) => nodesBelow(host, top)));
  return nodes
    .flatMap((found) => [...found])
    .filter(([path]) => /\/(hotplug-[a-z]+|state)$|\/data\/vifwatch/.test(path))
    .map(([path, shown]) => `${path} ${shown}`);
};

test("a served vif and net-vm's readiness have these nodes in xenstore", async () => {
  const ready = '/local/domain/2/data/vifwatch/ready';
  await until('net-vm is ready', async () => (await host.read(ready)) !== undefined);
  await expectGolden('nodes-vif', await daemonNodes(backend(3), '/local/domain/2/data'));
});

test('a refused vif has these nodes in xenstore', async () => {
  await expectGolden('nodes-refused', await daemonNodes(backend(4)));
});

test('each command has this exit status with a healthy, unhealthy, panicking and missing daemon', async () => {
  const lines: string[] = [];
  const runs = async (when: string, ...commands: readonly string[]): Promise<void> => {
    for (const command of commands) {
      const { status, stdout } = await host.inNetVm(['vifwatch', ...command.split(' ')]);
      const code = /"code":"([A-Z_]+)"/.exec(stdout)?.[1] ?? '-';
      lines.push(`${when}: ${status} ${code} vifwatch ${command}`);
    }
  };
  await runs('a vif is closed', 'status', 'status --json', 'export', 'run');
  expect((await host.destroy('bad')).status).toBe(0);
  await until(
    'the daemon is healthy',
    async () => (await host.inNetVm(['vifwatch', 'status'])).status === 0,
  );
  await runs('healthy', 'status', 'status --json', 'audit', 'panic');
  await runs('in panic', 'status', 'panic', 'resume');
  await runs('resumed', 'status', 'resume');
  await host.signalDaemon('SIGTERM');
  await runs('no daemon', 'status', 'status --json', 'export', 'audit', 'panic', 'resume');
  await expectGolden('exit-network', lines);
});

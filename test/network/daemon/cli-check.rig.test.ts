/** `vifwatch check` prints one line for each item that it checks, with a remedy for each missing item. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { test } from 'vitest';
import type { SimHost, SimHostOptions } from '../../rig/sim/sim-host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { hangMs } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;
const programs = ['/usr/sbin/ip', '/usr/sbin/nft', '/usr/sbin/conntrack', '/usr/bin/ldd'];

type Machine = {
  /** A program that is not on the PATH. */
  readonly without?: string;
  readonly netback?: boolean;
  readonly rig?: Partial<SimHostOptions>;
};

/** The lines and the exit status of `vifwatch check` on a machine that may lack something. */
const checkOn = async ({ without = '', netback = true, rig = {} }: Machine) => {
  let result: { readonly status: number; readonly lines: readonly string[] } | undefined;
  const check = async ({ sim, netVm }: SimHost): Promise<void> => {
    const path = `${sim.directory}/path`;
    mkdirSync(path);
    for (const program of programs) {
      if (basename(program) !== without) symlinkSync(program, `${path}/${basename(program)}`);
    }
    const load = netback ? 'mkdir /sys/module/xen_netback &&' : '';
    const script = `mount -t tmpfs modules /sys/module && ${load} exec "$@"`;
    const files = ['--config', `${sim.directory}/vifwatch.toml`];
    const command = ['env', `PATH=${path}`, process.execPath, main, ...files, 'check'];
    const argv = ['unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
    const { status, stdout, stderr } = await sim.run(sim.inNamespace(namespaceOf(netVm), argv), {
      domid: netVm,
    });
    assert.equal(stderr, '');
    result = { status, lines: stdout.trimEnd().split('\n') };
  };
  await withNetVm(check, { daemon: false, ...rig });
  assert.ok(result);
  return result;
};

const names = [
  ...['config', 'policies', 'ip', 'nft', 'conntrack', 'firewall', 'addon', 'xen-netback'],
  'xenstore',
];

test.concurrent('on a complete machine, each item has an ok line and the exit status is 0', async () => {
  const { status, lines } = await checkOn({});
  const heads = lines.map((line) => line.split(':', 1)[0]);
  assert.deepEqual(
    heads,
    [...names, 'ip_forward', 'settings'].map((name) => `ok    ${name}`),
  );
  assert.equal(status, 0);
});

test.concurrent.each([
  { without: 'conntrack', name: 'conntrack', remedy: /; install conntrack-tools/ },
  { without: 'nft', name: 'nft', remedy: /; install nftables/ },
  { without: 'ip', name: 'ip', remedy: /; install iproute2/ },
  { netback: false, name: 'xen-netback', remedy: /; modprobe xen-netback/ },
])('a missing item fails with its remedy: $name', async ({ name, remedy, ...machine }) => {
  const { status, lines } = await checkOn(machine);
  assert.equal(status, 1);
  const complaints = lines.filter((line) => !line.startsWith('ok    '));
  const own = complaints.find((line) => line.startsWith(`FAIL  ${name}: `));
  assert.match(own ?? complaints.join('\n'), remedy);
  // Without nft, check cannot try its rules either.
  assert.equal(complaints.length, name === 'nft' ? 2 : 1, complaints.join('\n'));
});

test.concurrent('check shows the place of a configuration error and still checks the rest', async () => {
  const config = 'uplink = ["eth0"]\ngateway = ["10.0.5.0/24"]\n';
  const { status, lines } = await checkOn({ rig: { config } });
  assert.equal(status, 1);
  const place = lines.findIndex((line) => /^FAIL {2}config: .*vifwatch\.toml:2:12: /.test(line));
  assert.deepEqual(lines.slice(place + 1, place + 3), [
    '2:  gateway = ["10.0.5.0/24"]',
    '               ^',
  ]);
  for (const name of names.slice(1)) {
    assert.ok(
      lines.some((line) => line.startsWith(`ok    ${name}: `)),
      lines.join('\n'),
    );
  }
});

test.concurrent.each([
  { command: 'check', says: /xenstore: .*no answer/ },
  { command: 'status', says: /XENSTORE_UNAVAILABLE: / },
])('$command ends and names xenstore if xenstored is dead', async ({ command, says }) => {
  await withNetVm(
    async ({ sim, daemon, netVm }) => {
      await sim.xenstored.kill();
      const argv = ['timeout', `${hangMs / 1000}`, ...daemon.commandLine([command])];
      const { status, stdout, stderr } = await sim.run(argv, { domid: netVm });
      assert.match(`${stdout}${stderr}`, says);
      assert.notEqual(status, 124, 'it did not end by itself');
      assert.notEqual(status, 0);
    },
    { daemon: false },
  );
});

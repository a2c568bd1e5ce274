/** The programs that the daemon runs fail, hang, crash or are killed: it says so, and the firewall stands. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { gateway4, outside4 } from '../rig/host.ts';
import { childrenOf, commandLine, cpuSeconds } from '../rig/process.ts';
import { removeVif } from '../rig/sim/toolstack.ts';
import { assertReaches } from '../scenario/ping.ts';
import { create, web } from '../scenario/vms.ts';
import { until } from '../support/until.ts';
import {
  attachRaw,
  backend,
  becomesConnected,
  guestVm,
  isUp,
  kernelState,
  place,
  serveOne,
  status,
  withNetVm,
} from './net-vm.ts';
import { probe, startEcho } from './probe.ts';
import { withStandIn } from './stand-in.ts';

test('a slow nft does not hold up the detach of another vif', async () => {
  await withStandIn('nft', 'sleep 5', async (host, flag) => {
    const guest = await serveOne(host);
    const other = await host.create({ name: 'other' });
    flag.set();
    await attachRaw(host, other, {});
    await until(
      'the slow nft runs',
      async () => (await status(host)).vifs[1]?.phase === 'configuring',
    );
    const start = performance.now();
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    assert.ok(performance.now() - start < 2000);
    flag.clear();
    await becomesConnected(host, other);
  });
});

test('an nft that fails: an error of that vif, retried until it works', async () => {
  await withStandIn('nft', 'echo "nft: out of order" >&2; exit 1', async (host, flag) => {
    flag.set();
    const guest = await host.create(guestVm);
    await attachRaw(host, guest, {});
    await until('the error is in the store', async () => {
      return (await host.read(`${backend(guest)}/hotplug-error`)) === 'vifwatch: FIREWALL_FAILED';
    });
    const [vif] = (await status(host)).vifs;
    assert.match(vif?.error?.text ?? '', /exit status 1: nft: out of order/);
    flag.clear();
    await becomesConnected(host, guest);
    await assertReaches({ host, from: guestVm }, gateway4);
  });
});

test('the ip and the nft that stand by are killed: the next vif is served all the same', async () => {
  await withNetVm(async (host) => {
    const standby = (): number[] =>
      childrenOf(host.daemon.pid()).filter((pid) =>
        / -force -batch -$| -f \S+$/.test(commandLine(pid)),
      );
    const guest = await serveOne(host);
    await until('both stand by', () => standby().length === 2);
    for (const pid of standby()) process.kill(pid, 'SIGKILL');
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    await attachRaw(host, guest, {});
    await becomesConnected(host, guest);
    assert.doesNotMatch(host.daemon.log(), /_FAILED/);
  });
});

test.each(['nft', 'conntrack'])(
  '%s does without /dev/stdin, which needs a device manager',
  async (program) => {
    const bare = `exec unshare -m sh -c 'mount -t tmpfs dev /dev; exec /usr/sbin/${program} "$@"' ${program} "$@"`;
    await withStandIn(
      program,
      bare,
      async (host) => {
        const before = await kernelState(host);
        const guest = await serveOne(host);
        assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
        await until('nothing is left', async () => (await kernelState(host)) === before);
        assert.doesNotMatch(host.daemon.log(), /COMMAND_FAILED/);
      },
      true,
    );
  },
);

test('a conntrack that fails: the rules stay until flows are cut, and status says so', async () => {
  await withStandIn('conntrack', 'exit 127', async (host, flag) => {
    const before = await kernelState(host);
    const guest = await serveOne(host);
    flag.set();
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    await until('status tells', async () => {
      const { daemon, healthy } = await status(host);
      return !healthy && daemon?.trouble?.includes('conntrack') === true;
    });
    assert.match(await kernelState(host), /vif/);
    flag.clear();
    await until('all is gone', async () => (await kernelState(host)) === before);
    await until('status is content', async () => (await status(host)).healthy);
  });
});

test('a conntrack that fails when a policy changes: the flows are cut as soon as it works', async () => {
  await withStandIn('conntrack', 'exit 127', async (host, flag) => {
    await startEcho(host, 'world', outside4);
    await create(host, web);
    const flow = probe(host, web.name, 'udp', outside4);
    await until('the flow is tracked', async () => {
      const { stdout } = await host.inNetVm(['cat', '/proc/sys/net/netfilter/nf_conntrack_count']);
      return Number(stdout) > 0;
    });
    flag.set();
    writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "isolated"\n');
    await until('status tells', async () => {
      const { daemon, healthy } = await status(host);
      return !healthy && daemon?.trouble?.includes('conntrack') === true;
    });
    const clearedAt = Date.now();
    flag.clear();
    const { lastAt } = await flow;
    assert.ok(lastAt > clearedAt, 'the flow lived until then');
    await until('status is content', async () => (await status(host)).healthy);
  });
});

test('an nft monitor that crashes, then one that prints without end: changes are noticed all the same', async () => {
  const endless = 'case "$1" in monitor) rm "$(dirname "$0")/flag"; yes;; esac';
  await withStandIn('nft', endless, async (host, flag) => {
    await serveOne(host);
    const before = await kernelState(host);
    const pid = host.daemon.pid();
    const monitors = () =>
      childrenOf(pid).filter((one) => commandLine(one).endsWith('nft monitor'));
    const used = cpuSeconds(pid).own;
    flag.set();
    const [first = 0] = monitors();
    process.kill(first, 'SIGSEGV');
    await until('another one runs', () => {
      const [now, ...more] = monitors();
      return now !== undefined && now !== first && more.length === 0 && !flag.isSet();
    });
    await host.inNetVm(['nft', 'flush', 'ruleset']);
    const now = () => kernelState(host).catch(() => 'no tables');
    await until('the rules are back', async () => (await now()) === before);
    assert.ok(cpuSeconds(pid).own - used < 2);
  });
});

test('rules that are gone and cannot be loaded again: every vif is closed until they can', async () => {
  const refuse = 'case "$*" in "-f /proc/self/fd/0") echo "no memory" >&2; exit 1;; esac';
  await withStandIn('nft', refuse, async (host, flag) => {
    const guest = await serveOne(host);
    const before = await kernelState(host);
    flag.set();
    await host.inNetVm(['nft', 'flush', 'ruleset']);
    await until('the vif is closed', async () => (await isUp(host, `vif${guest}.0`)) === false);
    await until('status tells', async () => {
      const { daemon, healthy } = await status(host);
      return !healthy && /no memory: all vifs are closed$/.test(daemon?.trouble ?? '');
    });
    const other = await host.create({ name: 'other' });
    await attachRaw(host, other, {});
    await until('another one is seen', async () => (await status(host)).vifs.length === 2);
    assert.equal(await isUp(host, `vif${other}.0`), false);
    flag.clear();
    await becomesConnected(host, other);
    assert.deepEqual(await removeVif(host.dom0, place(other)), []);
    await until('all is as before', async () => (await kernelState(host)) === before);
    await until('status is content', async () => (await status(host)).healthy);
    await assertReaches({ host, from: guestVm }, gateway4);
  });
});

/** The daemon's programs fail, hang, crash or are killed: it reports that, and the firewall stays intact. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import { childrenOf, commandLine, cpuSeconds } from '../../rig/process.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { assertReaches } from '../../scenario/ping.ts';
import { create, inNetVm, web } from '../../scenario/vms.ts';
import { openBound } from '../../support/slowness.ts';
import { until } from '../../support/until.ts';
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
import { startEcho, startProbe } from './probe.ts';
import { hang, withScripts, withStandIn } from './stand-in.ts';

test('an nft that hangs does not hold up the detach of another vif', async () => {
  await withStandIn('nft', hang, async (host, flag) => {
    const guest = await serveOne(host);
    const other = await host.create({ name: 'other' });
    flag.set();
    await attachRaw(host, other, {});
    const isConfiguring = async (): Promise<boolean> => {
      const { vifs } = await status(host);
      return vifs.some(({ domid, phase }) => domid === other && phase === 'configuring');
    };
    await until('the other vif waits for nft', isConfiguring);
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    assert.ok(await isConfiguring(), 'nft no longer hung');
    flag.clear();
    await becomesConnected(host, other);
  });
});

test('an nft that fails causes an error of its vif only, and is retried until it works', async () => {
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

test('kills standby ip and nft: the next vif is still served', async () => {
  await withNetVm(async (host) => {
    const standby = (): number[] =>
      childrenOf(host.daemon.pid()).filter((pid) =>
        / -force -batch -$| -f \S+$/.test(commandLine(pid)),
      );
    const guest = await serveOne(host);
    await until('both programs stand by', () => standby().length === 2);
    const killed = standby();
    for (const pid of killed) process.kill(pid, 'SIGKILL');
    await until('the daemon has noticed their end', () => {
      const children = childrenOf(host.daemon.pid());
      return !killed.some((pid) => children.includes(pid));
    });
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    await attachRaw(host, guest, {});
    await becomesConnected(host, guest);
    assert.doesNotMatch(host.daemon.log(), /_FAILED/);
  });
});

test.each(['nft', 'conntrack'])(
  '%s works without /dev/stdin, which needs a device manager',
  async (program) => {
    const bare = (ran: string): string => `
      : >${ran}
      exec unshare -m sh -c 'mount -t tmpfs dev /dev; exec /usr/sbin/${program} "$@"' ${program} "$@"`;
    await withScripts(
      (directory) => ({ [program]: bare(`${directory}/ran`) }),
      async (host, directory) => {
        const before = await kernelState(host);
        const guest = await serveOne(host);
        assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
        await until(
          "the kernel's state is as before",
          async () => (await kernelState(host)) === before,
        );
        assert.doesNotMatch(host.daemon.log(), /COMMAND_FAILED/);
        assert.ok(existsSync(`${directory}/ran`), `${program} was never run`);
      },
    );
  },
);

test('a conntrack that fails: the rules stay until the flows are cut, and status reports it', async () => {
  await withStandIn('conntrack', 'exit 127', async (host, flag) => {
    const before = await kernelState(host);
    const guest = await serveOne(host);
    flag.set();
    assert.deepEqual(await removeVif(host.dom0, place(guest)), []);
    await until('status reports the failure', async () => {
      const { daemon, healthy } = await status(host);
      return !healthy && daemon?.trouble?.includes('conntrack') === true;
    });
    assert.match(await kernelState(host), /vif/);
    flag.clear();
    await until(
      "the kernel's state is as before",
      async () => (await kernelState(host)) === before,
    );
    await until('status is healthy', async () => (await status(host)).healthy);
  });
});

test('a conntrack that fails when a policy changes: the flows are cut as soon as it works again', async () => {
  await withStandIn('conntrack', 'exit 127', async (host, flag) => {
    await startEcho(host, 'world', outside4);
    const flow = await startProbe(host, namespaceOf(await create(host, web)), 'udp', outside4);
    flag.set();
    writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "isolated"\n');
    await until('status reports the failure', async () => {
      const { healthy, vifs } = await status(host);
      return !healthy && vifs[0]?.error?.code === 'FLOW_CUT_FAILED';
    });
    await flow.goesOn();
    flag.clear();
    await flow.isCut();
    await until('status is healthy', async () => (await status(host)).healthy);
  });
});

test('an nft monitor that crashes, then one that prints endlessly: the daemon still notices changes', async () => {
  const endless = 'case "$1" in monitor) rm "$(dirname "$0")/flag"; yes;; esac';
  await withStandIn('nft', endless, async (host, flag) => {
    await serveOne(host);
    const before = await kernelState(host);
    const pid = host.daemon.pid();
    const monitors = () =>
      childrenOf(pid).filter((child) => commandLine(child).endsWith('nft monitor'));
    const [first] = monitors();
    assert.ok(first !== undefined);
    const bound = await openBound(2);
    const used = cpuSeconds(pid).own;
    flag.set();
    process.kill(first, 'SIGSEGV');
    await until('another monitor runs', () => {
      const [now, ...more] = monitors();
      return now !== undefined && now !== first && more.length === 0 && !flag.isSet();
    });
    await inNetVm(host, ['nft', 'flush', 'ruleset']);
    const now = () => kernelState(host).catch(() => 'no tables');
    await until('the rules are back', async () => (await now()) === before);
    const seconds = cpuSeconds(pid).own - used;
    console.info(`${seconds.toFixed(2)} s of CPU`);
    await bound.assertKept(seconds, "the daemon's seconds of CPU");
  });
});

test('rules that are lost and cannot be loaded: every vif is closed until they can be loaded', async () => {
  const refuse = 'case "$*" in "-f /proc/self/fd/0") echo "no memory" >&2; exit 1;; esac';
  await withStandIn('nft', refuse, async (host, flag) => {
    const guest = await serveOne(host);
    const before = await kernelState(host);
    flag.set();
    await inNetVm(host, ['nft', 'flush', 'ruleset']);
    await until('the vif is closed', async () => (await isUp(host, `vif${guest}.0`)) === false);
    await until('status reports the failure', async () => {
      const { daemon, healthy } = await status(host);
      return !healthy && /no memory: closing all vifs$/.test(daemon?.trouble ?? '');
    });
    const other = await host.create({ name: 'other' });
    await attachRaw(host, other, {});
    await until(
      'the daemon sees the other vif',
      async () => (await status(host)).vifs.length === 2,
    );
    assert.equal(await isUp(host, `vif${other}.0`), false);
    flag.clear();
    await becomesConnected(host, other);
    assert.deepEqual(await removeVif(host.dom0, place(other)), []);
    await until(
      "the kernel's state is as before",
      async () => (await kernelState(host)) === before,
    );
    await until('status is healthy', async () => (await status(host)).healthy);
    await assertReaches({ host, from: guestVm }, gateway4);
  });
});

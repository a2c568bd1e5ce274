/** The fast rig behaves like Xen towards a daemon. */
import { describe, expect, onTestFailed, onTestFinished, test } from 'vitest';
import { until } from '../../support/until.ts';
import { gateway4, outside4, outside6 } from '../host.ts';
import type { ActorEvent } from './actors.ts';
import { backend, inNetVm, next, startHost, vif } from './rig-fixture.ts';
import type { SimHost } from './sim-host.ts';
import { startXlDevd } from './xl-devd.ts';

/** Does a daemon's minimal work for a vif, without any protection. */
const connectByHand = async (host: SimHost): Promise<void> => {
  const connected = next(host, 'connected');
  await inNetVm(host, `ip addr add ${gateway4}/32 dev lo`);
  await inNetVm(host, 'ip link set vif3.0 up');
  await inNetVm(host, 'ip route add 10.0.5.7 dev vif3.0');
  await inNetVm(host, `xenstore-write ${backend}/hotplug-status connected`);
  await connected;
};

/** Switches on forwarding, as vifwatch does after it has loaded its firewall. */
const forward = async (host: SimHost): Promise<void> => {
  const settings = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  const { status, stderr } = await host.inNetVm(['busybox', 'sysctl', '-w', ...settings]);
  expect(status, stderr).toBe(0);
};

const ping = async (host: SimHost, target: string): Promise<number> =>
  (await host.inVm('web', ['busybox', 'ping', '-c', '1', '-W', '1', target])).status;

describe.each(['xenstored', 'oxenstored'] as const)('with %s', (store) => {
  const missing = store === 'xenstored' ? 'EACCES' : 'ENOENT';

  test('a domain can read only the nodes that its permissions allow', async () => {
    const host = await startHost({ store });
    await host.create({ name: 'web', vif });
    const [netVm, guest] = [host.sim.open(2), host.sim.open(3)];
    onTestFinished(() => {
      for (const connection of [netVm, guest]) connection.close();
    });
    expect(await netVm.read('domid')).toBe('2');
    expect(await netVm.read('/ipc/domain-map/web')).toBe('3');
    await netVm.write('data/secret', '1');
    await expect(guest.read('/local/domain/2/data/secret')).rejects.toMatchObject({
      code: 'EACCES',
    });
    await expect(guest.read('/local/domain/2/data/none')).rejects.toMatchObject({ code: missing });
    await expect(guest.write(`${backend}/ip`, '6.6.6.6')).rejects.toMatchObject({ code: 'EACCES' });
    await expect(netVm.remove('/local/domain/2/backend/vif/3')).rejects.toMatchObject({
      code: 'EACCES',
    });
    await guest.write('device/vif/0/ip', '6.6.6.6');
    expect(await netVm.read('/local/domain/3/device/vif/0/ip')).toBe('6.6.6.6');
  });

  test('the default quota suffices for 39 vifs, and a test can raise it', async () => {
    const states = async (host: SimHost): Promise<number> => {
      await host.create({ name: 'web' });
      let taken = 0;
      const failed = next(host, 'failed').then(() => true);
      for (; taken < 42; taken += 1) {
        const appeared = next(host, 'netdev').then(() => false);
        host.attach('web', vif).catch(() => undefined); // the vif above the quota would fail only after 10 s
        if (await Promise.race([failed, appeared])) return taken;
      }
      return taken;
    };
    expect(await states(await startHost({ store }))).toBe(39);
    expect(await states(await startHost({ store, quota: { nodes: 9000, watches: 1000 } }))).toBe(
      42,
    );
  });

  test('netback reaches state 2 before its netdev appears, and state 6 before it goes', async () => {
    const host = await startHost({ store });
    const seen: string[] = [];
    host.actors.events.subscribe(({ what }) => seen.push(what));
    await host.create({ name: 'web', vif });
    const link = await inNetVm(host, 'ip -o link show vif3.0');
    expect(link).toMatch(/state DOWN .*link\/ether fe:ff:ff:ff:ff:ff/);
    expect(await host.read(`${backend}/state`)).toBe('2');
    await connectByHand(host);
    expect(await host.read(`${backend}/state`)).toBe('4');
    const unregistered = next(host, 'unregistered');
    const destroyed = host.destroy('web');
    await unregistered;
    expect(await host.read(`${backend}/state`)).toBe('6');
    expect(await host.read(`${backend}/hotplug-status`)).toBeUndefined();
    await inNetVm(host, `xenstore-rm ${backend}`);
    expect(await destroyed).toMatchObject({ status: 0, stderr: '' });
    expect(await host.read('/local/domain/2/backend')).toBeUndefined();
    const up = ['prepared', 'init-wait', 'netdev', 'configured', 'hotplug-connected', 'connected'];
    expect(seen).toEqual([...up, 'closed', 'unregistered']);
  });

  test("Xen's own xl devd and vif-route serve a vif", async () => {
    const host = await startHost({ store });
    const devd = startXlDevd(host.sim, host.netVm);
    onTestFailed(() => console.error(devd.log()));
    const connected = next(host, 'connected');
    await forward(host);
    await host.create({ name: 'web', vif: { ...vif, ip: '10.0.5.7' } });
    await connected;
    await expect.poll(() => ping(host, outside4)).toBe(0);
    expect(await host.detach('web', 0)).toMatchObject({ status: 0 });
  });
});

// The tests run concurrently, because one of them waits for 10 s.
describe.concurrent('the rig', () => {
  test('dom0 waits 10 s for a backend that no daemon removes, and only xl destroy removes it', async ({
    onTestFinished,
  }) => {
    const host = await startHost({ store: 'xenstored' }, onTestFinished);
    await Promise.all([host.create({ name: 'web', vif }), host.create({ name: 'mail', vif })]);
    const [detached, destroyed] = await Promise.all([host.detach('web', 0), host.destroy('mail')]);
    for (const { status, seconds, stderr } of [detached, destroyed]) {
      expect(status).toBe(1);
      expect(seconds).toBeGreaterThan(10);
      expect(stderr).toContain('to be removed');
    }
    expect(await host.read(`${backend}/online`)).toBe('0');
    expect(await host.read('/local/domain/2/backend/vif/4')).toBeUndefined();
  });

  test('packets pass after the link is up, and none before', async ({ onTestFinished }) => {
    const host = await startHost({ store: 'xenstored', actorProcess: true }, onTestFinished);
    await host.create({ name: 'web', vif });
    expect(await ping(host, outside4)).not.toBe(0);
    await connectByHand(host);
    await forward(host);
    await until('the guest reaches the world', async () => (await ping(host, outside4)) === 0);
    const toWorld = ['busybox', 'ping', '-c', '1', '-W', '1', outside6];
    await until('net-vm reaches the world', async () => (await host.inNetVm(toWorld)).status === 0);
  });

  test('a late netdev does not delay other vifs, and a netdev can be left out', async ({
    onTestFinished,
  }) => {
    const late = await startHost({ store: 'xenstored', netdev: 1_000 }, onTestFinished);
    await Promise.all([late.create({ name: 'web' }), late.create({ name: 'mail' })]);
    const seen: ActorEvent[] = [];
    late.actors.events.subscribe((event) => seen.push(event));
    await Promise.all([late.attach('web', vif), late.attach('mail', vif)]);
    const order = () =>
      seen.map(({ what }) => what).filter((what) => ['init-wait', 'netdev'].includes(what));
    await until('both netdevs appear', () => order().length === 4);
    expect(order()).toEqual(['init-wait', 'init-wait', 'netdev', 'netdev']);
    for (const netdev of seen.filter(({ what }) => what === 'netdev')) {
      const before = seen.find(({ guest }) => guest === netdev.guest);
      expect(netdev.at - (before?.at ?? Number.NaN)).toBeGreaterThan(990);
    }
    const never = await startHost({ store: 'xenstored', netdev: 'never' }, onTestFinished);
    await never.create({ name: 'web', vif });
    expect(await never.read(`${backend}/state`)).toBe('2');
    expect(await inNetVm(never, 'ip -o link')).not.toContain('vif3.0');
  });
});

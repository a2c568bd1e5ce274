/**
 * `npm start` shows the daemon's main work on the fast rig, step by step. With `--keep` the rig stays up at
 * the end.
 */
import { once } from 'node:events';
import { parseDrops } from '../src/network/status/drops.ts';
import { gateway4, outside4, type VmSpec } from './rig/host.ts';
import { type SimHost, startSimHost } from './rig/sim/sim-host.ts';
import { assertReaches, ping } from './scenario/ping.ts';
import { create, destroy, inNetVm, inVm } from './scenario/vms.ts';

const demoVm = (name: string, number: number) => {
  const [ipv4, ipv6] = [`10.0.5.${100 + number}`, `fd00:5::${100 + number}`];
  const mac = `00:16:3e:05:00:0${number}`;
  return { name, ipv4, ipv6, mac, vif: { mac, ip: `${ipv4} ${ipv6}` } };
};

const workload = demoVm('workload-vm', 3);
const others = [demoVm('sa-vm', 1), demoVm('mgmt-vm', 2)];

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const step = (text: string): void => say(`\n== ${text}`);

const show = (text: string): void => say(text.trimEnd().replaceAll(/^/gm, '   '));

const showStatus = async (host: SimHost): Promise<void> => {
  say('   $ vifwatch status');
  show(await inNetVm(host, ['vifwatch', 'status']));
};

const showElements = async (host: SimHost): Promise<void> => {
  say('   $ vifwatch export | grep "add element"');
  const rules = await inNetVm(host, ['vifwatch', 'export']);
  show(
    rules
      .split('\n')
      .filter((line) => line.startsWith('add element'))
      .join('\n'),
  );
};

const showPing = async (host: SimHost, from: VmSpec, target: string, source?: string) => {
  const { sent, received } = await ping({ host, from }, target, 2, source);
  const spoofed = source === undefined ? '' : ` with source ${source}`;
  say(`   ${from.name} -> ${target}${spoofed}: ${received} of ${sent} answered`);
  return received;
};

const expectPings = async (host: SimHost): Promise<void> => {
  step('Pings: the gateway and the outside answer, and another VM does not');
  await assertReaches({ host, from: workload }, gateway4, outside4);
  const open = [await showPing(host, workload, gateway4), await showPing(host, workload, outside4)];
  const closed = await showPing(host, workload, '10.0.5.101');
  if (open.includes(0) || closed > 0) throw new Error('a ping has the wrong result');
};

const expectNoSpoofing = async (host: SimHost): Promise<void> => {
  const foreign = '10.0.5.66';
  step(`workload-vm sends with the foreign source ${foreign}: no packet passes`);
  await inVm(host, workload, ['ip', 'address', 'add', `${foreign}/32`, 'dev', 'eth0']);
  const passed = await showPing(host, workload, outside4, foreign);
  await inVm(host, workload, ['ip', 'address', 'del', `${foreign}/32`, 'dev', 'eth0']);
  const { foreign_source4: dropped } = parseDrops(
    await inNetVm(host, ['nft', '-j', 'list', 'counters']),
  );
  say(`   dropped for their source address: ${dropped} packets`);
  if (passed > 0 || dropped === undefined) throw new Error('a spoofed packet passed');
};

const demo = async (host: SimHost): Promise<void> => {
  step('net-vm: starting vifwatch');
  await host.startDaemon();
  await showStatus(host);
  for (const vm of [...others, workload]) {
    step(`xl create ${vm.name}   # vif=["ip=${vm.vif.ip},mac=${vm.mac},backend=net-vm"]`);
    await create(host, vm);
    await showStatus(host);
  }
  await showElements(host);
  await expectPings(host);
  await expectNoSpoofing(host);
  step('xl destroy sa-vm');
  await destroy(host, { ...demoVm('sa-vm', 1) });
  await showStatus(host);
};

const untilInterrupted = async (host: SimHost): Promise<void> => {
  step('Left running until Ctrl-C. In net-vm:');
  say(`   ${host.daemon.commandLine(['status']).join(' ')}`);
  await once(process, 'SIGINT');
};

say(
  'Real xenstored on a simulated hypervisor; net-vm, VMs and the outside are network namespaces.',
);
const host = await startSimHost({ store: 'xenstored' });
try {
  await demo(host);
  if (process.argv.includes('--keep')) await untilInterrupted(host);
} catch (error) {
  show(host.daemon.log());
  throw error;
} finally {
  await host.close();
}
step('Done: the rig is removed.');

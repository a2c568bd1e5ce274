/** The isolation between two rigs and between a rig and the machine, and vchans between two domains. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { until } from '../../support/until.ts';
import { isRunning } from './rig-directory.ts';
import { inNetVm, startHost, vif } from './rig-fixture.ts';

const endOf = (pid: number): Promise<void> => until(`${pid} ends`, () => !isRunning(pid));

test('a rig shares nothing with another rig or with the machine', async () => {
  const machine = async () => (await execa('ip', ['-o', 'link'])).stdout;
  const before = await machine();
  const [first, second] = [
    await startHost({ store: 'xenstored' }),
    await startHost({ store: 'oxenstored' }),
  ];
  await first.create({ name: 'web', vif });
  expect(await second.read('/local/domain/3')).toBeUndefined();
  expect(await inNetVm(second, 'ip -o link')).not.toContain('vif3.0');
  expect(await machine()).toBe(before);
  expect(existsSync('/run/netns/dom2')).toBe(false);
});

test('real libxenvchan programs in two domains exchange data', async () => {
  const host = await startHost({ store: 'xenstored' });
  await Promise.all([host.create({ name: 'web' }), host.create({ name: 'mail' })]);
  const text = 'x'.repeat(100_000);
  const proxy = (domid: number, args: readonly string[]) =>
    execa('/usr/lib/xen-4.17/bin/vchan-socket-proxy', [...args, '-'], {
      env: host.sim.env({ domid, hypercalls: true }),
    });
  const server = proxy(3, ['--mode=server', '--state-path=data/state', '4', 'data/vchan']);
  server.stdin.write(text);
  const isServing = async (): Promise<boolean> =>
    (await host.read('/local/domain/3/data/state')) === 'running';
  await until('the proxy offers its vchan', isServing);
  const client = proxy(4, ['3', '/local/domain/3/data/vchan']);
  let received = '';
  for await (const chunk of client.stdout.setEncoding('utf8')) {
    received += chunk;
    if (received.length === text.length) client.stdin.end();
  }
  expect(received === text).toBe(true);
  await Promise.all([client, server]);
});

test('the processes of a rig end when its owner is killed, and the next rig removes its directory', async () => {
  const code = `
      import { startSimHost } from '${new URL('sim-host.ts', import.meta.url).pathname}';
      const { sim, inNetVm } = await startSimHost({ store: 'xenstored' });
      const orphan = ['busybox', 'sh', '-c', 'busybox sleep 1000 >/dev/null 2>&1 & echo $!'];
      const { stdout } = await inNetVm(orphan);
      console.log(sim.directory, stdout.trim(), sim.holder, sim.xenstored.pid);`;
  const argv = ['--import', 'tsx', '--input-type=module', '-e', code];
  const owner = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void owner.kill('SIGKILL'));
  const [line] = await once(owner.stdout.setEncoding('utf8'), 'data');
  const [directory = '', ...pids] = String(line).trim().split(' ');
  expect(existsSync(directory)).toBe(true);
  expect(pids.map(Number).filter(isRunning)).toHaveLength(3);
  const [orphan = 0, ...tied] = pids.map(Number);
  owner.kill('SIGKILL');
  for (const pid of tied) await endOf(pid);
  expect(isRunning(orphan)).toBe(true);
  await startHost({ store: 'xenstored' });
  expect(existsSync(directory)).toBe(false);
  await endOf(orphan);
});

/** `vifwatch export` gives the same text for the same rules; an empty kernel gets the rules back from it. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { until } from '../../support/until.ts';
import { makeEmpty, sortedWords } from './empty-namespace.ts';
import { withoutUse } from './listing.ts';
import { attachRaw, becomesConnected, place, withNetVm } from './net-vm.ts';

const main = new URL('../../../dist/main.js', import.meta.url).pathname;

const exported = async (host: SimHost, ...options: string[]): Promise<string> => {
  const { status, stdout, stderr } = await host.inNetVm(['vifwatch', 'export', ...options]);
  assert.equal(status, 0, stderr);
  return stdout;
};

const first = '10.0.5.30 10.9.0.0/24 fd00:5::30';

/** Serves three VMs; the first one is domain 3. */
const serveSome = async (host: SimHost): Promise<void> => {
  const addresses = [first, '10.0.5.31 fd00:9::/64', 'fd00:5::32'];
  for (const [index, ip] of addresses.entries()) {
    const guest = await host.create({ name: `guest${index}` });
    await attachRaw(host, guest, { ip });
    await becomesConnected(host, guest);
  }
};

test('the export is byte-identical when it is repeated, and after a restart of the daemon', async () => {
  await withNetVm(async (host) => {
    await serveSome(host);
    const before = { text: await exported(host), json: await exported(host, '--json') };
    assert.deepEqual({ text: await exported(host), json: await exported(host, '--json') }, before);
    await host.signalDaemon('SIGKILL');
    await host.startDaemon();
    assert.deepEqual({ text: await exported(host), json: await exported(host, '--json') }, before);
    // The order in which the vifs came does not show either.
    assert.deepEqual(await removeVif(host.dom0, place(3)), []);
    await until("the vif's rules are gone", async () => (await exported(host)) !== before.text);
    await attachRaw(host, 3, { ip: first });
    await becomesConnected(host, 3);
    assert.equal(await exported(host), before.text);
  });
});

test('the export names the VM behind each element, or no VM if xenstore does not answer', async () => {
  await withNetVm(async (host) => {
    await serveSome(host);
    const rules = await exported(host);
    const elements = rules.split('\n').filter((line) => line.startsWith('add element'));
    const unnamed = elements.filter((line) => !/ # guest[012]$/.test(line));
    assert.match(unnamed.join('\n'), /^.* uplink \{ "eth0" \}$/m);
    assert.match(unnamed.join('\n'), /^.* gateway \{ 10\.0\.5\.1 \}$/m);
    assert.equal(unnamed.filter((line) => /"vif|10\.0\.5\.3|10\.9|fd00/.test(line)).join('\n'), '');
    for (const [index, guest] of ['guest0', 'guest1', 'guest2'].entries()) {
      const own = elements.filter((line) => line.includes(`"vif${index + 3}.0"`));
      assert.ok(own.length > 0, guest);
      for (const line of own) assert.ok(line.endsWith(` # ${guest}`), line);
    }
    assert.match(rules, /vm_network4 \{ 10\.9\.0\.0\/24 \} # guest0$/m);
    assert.match(rules, /mac \{ "vif4\.0" \. \S+ \} # guest1$/m);
    const argv = ['env', 'XENSTORED_PATH=/nonexistent', process.execPath, main, 'export'];
    const { stdout, stderr } = await host.sim.run(host.sim.inNamespace('dom2', argv), { domid: 2 });
    assert.match(stderr, /the export omits VM names: cannot talk to xenstored/);
    assert.equal(stdout, rules.replaceAll(/ # .*$/gm, ''), stderr);
  });
});

test.each([
  { form: 'text', options: [], nft: ['nft'] },
  { form: 'JSON', options: ['--json'], nft: ['nft', '-j'] },
])('nft loads the $form on an empty kernel, where its export is the same', async (how) => {
  await withNetVm(async (host) => {
    await serveSome(host);
    const inEmpty = await makeEmpty(host, 'empty');
    const rules = await exported(host, ...how.options);
    const file = `${host.sim.directory}/exported`;
    writeFileSync(file, rules);
    await inEmpty([...how.nft, '-c', '-f', file]);
    assert.equal(await inEmpty(['nft', 'list', 'ruleset']), '', 'a check changes nothing');
    await inEmpty([...how.nft, '-f', file]);
    const again = await inEmpty([process.execPath, main, 'export', ...how.options]);
    assert.equal(again, rules);
    // Two exports could agree although the rules differ, so the listings are compared too.
    const listing = ['nft', '--stateless', 'list', 'ruleset'];
    const inNetVm = await host.inNetVm(listing);
    assert.equal(sortedWords(await inEmpty(listing)), sortedWords(withoutUse(inNetVm.stdout)));
  });
});

test('without our tables in the kernel, export fails and says why', async () => {
  await withNetVm(
    async (host) => {
      const { status, stdout, stderr } = await host.inNetVm(['vifwatch', 'export']);
      assert.equal(status, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /the vifwatch tables are not in the kernel/);
    },
    { daemon: false },
  );
});

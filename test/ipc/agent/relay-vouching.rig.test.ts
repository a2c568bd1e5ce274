import { expect, test } from 'vitest';
import { allowAll, callRaw, makeThree, startLinked } from './relay-vms.ts';
import { makeVm, services, startHost } from './vms.ts';

test('the policy decides on the name that the relay vouches for, and relayed=no refuses relayed calls', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host, {
    policy: [
      'cat * workload-vm sa-vm allow',
      'hello * @anyvm sa-vm allow relayed=no',
      'pid * mgmt-vm sa-vm allow',
    ],
  });
  await startLinked(relay, sa, client);
  const status = async (vm: typeof client, service: string): Promise<number | undefined> =>
    (await vm.vifwatch(['call', 'sa-vm', service])).status;
  expect(await status(client, 'cat')).toBe(0);
  expect(await status(client, 'hello')).toBe(126);
  expect(await status(client, 'pid')).toBe(126);
  expect(await status(relay, 'hello')).toBe(7);
  expect(await status(relay, 'cat')).toBe(126);
  expect(sa.log()).toMatch(/"via":"mgmt-vm".*50-test\.policy:2.*does not allow relayed calls/);
  expect(sa.log()).toMatch(/"from":"workload-vm","via":"mgmt-vm","service":"pid","verdict":"deny"/);
});

test('a VM that names no relay, or a different one, refuses vouched calls', async () => {
  const host = await startHost();
  const { relay, sa, client } = await makeThree(host, { connect: [], serve: ['*'] });
  const none = await makeVm(host, 'key-vm', {
    connect: ['mgmt-vm'],
    policy: allowAll,
    services,
  });
  await startLinked(relay, sa, client, none);
  const refused = await client.vifwatch(['call', 'key-vm', 'cat']);
  expect(refused.status).toBe(126);
  expect(refused.stderr).toContain('key-vm does not accept calls relayed by mgmt-vm');
  expect(none.log()).toMatch(
    /"peer":"mgmt-vm".*"source":"workload-vm".*"denied: key-vm does not accept/,
  );

  // A VM that is not a relay vouches for other VMs, and asks sa-vm to relay calls.
  const evil = await host.create({ name: 'evil-vm' });
  const call = { target: '', service: 'cat', argument: '' };
  const outcomes = await callRaw(host, evil, sa, [
    { ...call, source: 'workload-vm' },
    { ...call, source: 'mgmt-vm' },
    { ...call, source: 'sa-vm' },
    { ...call, target: 'workload-vm' },
    { ...call, target: 'evil-vm' },
    { ...call, target: 'sa-vm' },
    call,
  ]);
  const refusal = (code: string) => ({ kind: 'refused', refusal: { code } });
  const fine = { kind: 'exited', status: 0 };
  expect(outcomes).toMatchObject([
    ...[refusal('denied'), refusal('denied'), refusal('denied')],
    ...[refusal('unreachable'), refusal('unreachable'), fine, fine],
  ]);
  expect(sa.log()).not.toContain('"via"');

  // The relay accepts no vouched source, does not relay back to the caller, and reaches only linked VMs.
  const atRelay = await callRaw(host, evil, relay, [
    { ...call, source: 'workload-vm' },
    { ...call, target: 'evil-vm' },
    { ...call, target: 'no-vm' },
    { ...call, target: 'sa.vm' },
    { ...call, target: 'sa-vm' },
  ]);
  expect(atRelay).toMatchObject([
    ...[refusal('denied'), refusal('unreachable'), refusal('unreachable')],
    ...[refusal('unreachable'), fine],
  ]);
});

test('a relay can vouch for valid VM names only, and neither for itself nor for the target', async () => {
  const host = await startHost();
  const relay = await host.create({ name: 'mgmt-vm' });
  const sa = await makeVm(host, 'sa-vm', {
    serve: ['mgmt-vm'],
    relay: 'mgmt-vm',
    policy: allowAll,
    services,
  });
  await sa.start();
  const call = { target: '', service: 'cat', argument: '' };
  const sources = ['workload-vm', 'sa-vm', 'mgmt-vm', 'dom0.', '-x', 'a.b'];
  const outcomes = await callRaw(
    host,
    relay,
    sa,
    sources.map((source) => ({ ...call, source })),
  );
  expect(outcomes.map(({ kind }) => kind)).toEqual(['exited', ...Array(5).fill('refused')]);
});

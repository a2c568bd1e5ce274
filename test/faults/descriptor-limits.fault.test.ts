/** The agent starts with limits of 1024 and 4096 open files. Its services must have the same limits. */
import { expect, test } from 'vitest';
import { makePair, startHost } from '../ipc/agent/vms.ts';
import { startUntil } from '../rig/sim/appearance.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { fault } from './known.ts';

const main = new URL('../../dist/main.js', import.meta.url).pathname;

test.fails(fault('descriptors', "a service has the agent's limits"), async () => {
  const host = await startHost();
  const { sim } = host;
  const { server, client } = await makePair(host, {
    services: { limits: '#!/bin/sh\necho "$(ulimit -Sn) $(ulimit -Hn)"\n' },
  });
  const command = sim.inNamespace(namespaceOf(server.domid), [
    ...['prlimit', '--nofile=1024:4096', '--', process.execPath, '--max-semi-space-size=1', main],
    ...['--config', `${server.etc}/vifwatch.toml`, '--runtime', server.runtime, 'agent'],
  ]);
  await startUntil(`${server.runtime}/agent.sock`, () =>
    sim.start('agent-sa', command, { domid: server.domid, hypercalls: true }),
  );
  await client.start();
  const { stdout } = await client.vifwatch(['call', 'sa-vm', 'limits']);
  expect(stdout.toString()).toBe('1024 4096\n');
});

/** A VM connects to a port that net-vm forwards to another VM. It must be answered like a host outside. */
import assert from 'node:assert/strict';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { isAnswered, startEcho } from '../network/daemon/probe.ts';
import { gateway4, gateway6 } from '../rig/host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { create, mail, web } from '../scenario/vms.ts';
import { fault } from './known.ts';

const port = 8007;
const config = (masquerade: boolean): string => `uplink = ["eth0"]
gateway = ["${gateway4}", "${gateway6}"]
masquerade = ${masquerade}
[[forward]]
proto = "tcp"
port = ${port}
to = "${web.ipv4}"
toport = 7
`;

test.fails.each([false, true])(fault('hairpin', 'a VM is answered, masquerade=%s'), (masquerade) =>
  withNetVm(
    async (host) => {
      const server = namespaceOf(await create(host, web));
      const client = namespaceOf(await create(host, mail));
      await startEcho(host, server, web.ipv4);
      const isReached = (from: string) => isAnswered(host, from, 'tcp', '192.0.2.2', port);
      assert.ok(await isReached('world'));
      assert.ok(await isReached(client));
    },
    { config: config(masquerade) },
  ),
);

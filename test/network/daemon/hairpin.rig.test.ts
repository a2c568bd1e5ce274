/** A forwarded port of net-vm is for hosts outside: a VM uses the address of the VM behind it, and its policy. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { gateway4, gateway6 } from '../../rig/host.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { withNetVm } from './net-vm.ts';
import { isAnswered, startEcho } from './probe.ts';

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

const toWeb = `profile = "internet"
[[rule]]
action = "accept"
dstvm = "web"
`;
const fromMail = '[[rule]]\naction = "accept"\ndirection = "in"\nsrcvm = "mail"\n';

test.each([false, true])(
  'with masquerade=%s, a VM reaches a server by its own address only',
  (masquerade) =>
    withNetVm(
      async (host) => {
        const server = namespaceOf(await create(host, web));
        const client = namespaceOf(await create(host, mail));
        await startEcho(host, server, web.ipv4);
        assert.ok(await isAnswered(host, 'world', 'tcp', '192.0.2.2', port));
        assert.ok(!(await isAnswered(host, client, 'tcp', '192.0.2.2', port)));
        assert.ok(!(await isAnswered(host, client, 'tcp', web.ipv4, 7)));
        writeFileSync(`${host.daemon.policies}/mail.toml`, toWeb);
        writeFileSync(`${host.daemon.policies}/web.toml`, fromMail);
        await until('the policies let mail connect', () =>
          isAnswered(host, client, 'tcp', web.ipv4, 7),
        );
        assert.ok(!(await isAnswered(host, client, 'tcp', '192.0.2.2', port)));
      },
      { config: config(masquerade) },
    ),
);

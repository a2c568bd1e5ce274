/**
 * An isolated VM's policy file is missing for a moment while it is replaced. No packet of the VM may be
 * answered meanwhile.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { withNetVm } from '../network/daemon/net-vm.ts';
import { isAnswered, startEcho } from '../network/daemon/probe.ts';
import { outside4 } from '../rig/host.ts';
import { namespaceOf } from '../rig/sim/topology.ts';
import { create, web } from '../scenario/vms.ts';
import { until } from '../support/until.ts';
import { fault } from './known.ts';

const program = `
import socket, time
s = socket.socket(2, 2); s.settimeout(0.01); n = 0; end = time.time() + 4
while time.time() < end:
    try:
        s.sendto(b'x', ('${outside4}', 7)); s.recv(9); n += 1
    except OSError: pass
    time.sleep(0.002)
print(n)`;

test.fails(fault('f15', 'no packet passes while the file is missing for 200 ms'), () =>
  withNetVm(async (host) => {
    const file = `${host.daemon.policies}/web.toml`;
    writeFileSync(file, 'profile = "isolated"\n');
    await startEcho(host, 'world', outside4);
    const namespace = namespaceOf(await create(host, web));
    await until(
      'the VM is isolated',
      async () => !(await isAnswered(host, namespace, 'udp', outside4)),
    );
    const flow = host.inVm(web.name, ['python3', '-c', program]);
    await delay(1_000);
    rmSync(file);
    await delay(200);
    writeFileSync(file, 'profile = "isolated"\n');
    assert.equal(Number((await flow).stdout), 0, 'answers');
  }),
);

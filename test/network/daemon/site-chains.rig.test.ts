/** The site's own chains run before policies, and vifwatch never changes them. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { gateway4, outside4 } from '../../rig/host.ts';
import { assertDoesNotReach, assertReaches } from '../../scenario/ping.ts';
import { create, inNetVm, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { status, withNetVm } from './net-vm.ts';

test("only the operator fills the site's chains, and they decide first", () =>
  withNetVm(async (host) => {
    const nft = (command: string): Promise<string> => inNetVm(host, ['nft', command]);
    const site = async (): Promise<string> => {
      const hooks = ['input', 'forward', 'output'];
      const chains = hooks.map((hook) => nft(`list chain inet vifwatch site_${hook}`));
      return (await Promise.all(chains)).join('\n').replaceAll(/packets \d+ bytes \d+/g, '');
    };
    await create(host, web);
    const from = { host, from: web };
    await assertReaches(from, gateway4, outside4);
    await nft('add rule inet vifwatch site_input icmp type echo-request counter drop');
    await nft(`add rule inet vifwatch site_forward ip daddr ${outside4} counter drop`);
    await nft('add rule inet vifwatch site_output tcp dport 25 counter drop');
    const own = await site();
    for (const part of ['echo-request', 'daddr', 'dport 25']) assert.ok(own.includes(part), part);
    await assertDoesNotReach(from, gateway4, outside4);

    writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "lan-only"\n');
    await until('the policy is in force', async () =>
      (await nft('list table inet vifwatch')).includes('jump out-web-'),
    );
    await host.signalDaemon('SIGKILL');
    await host.startDaemon();
    await nft('flush chain inet vifwatch from_vif');
    await until('the damaged chain is repaired', async () =>
      (await nft('list chain inet vifwatch from_vif')).includes('vmap @out'),
    );
    assert.equal(await site(), own);
    assert.equal((await status(host)).healthy, true);

    await nft('flush chain inet vifwatch site_forward');
    await assertDoesNotReach(from, outside4);
    await nft('add rule inet vifwatch site_forward accept');
    await assertReaches(from, outside4);
  }));

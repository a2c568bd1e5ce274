/** A rule of another program uses a VM's chain, so that nft cannot remove the chain when the VM is gone. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { create, destroy, inNetVm, mail, web } from '../../scenario/vms.ts';
import { until } from '../../support/until.ts';
import { status, withNetVm } from './net-vm.ts';

test('a chain that is still used keeps no address: the VM and others get theirs again', () =>
  withNetVm(async (host) => {
    writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "isolated"\n');
    await create(host, web);
    await create(host, mail);
    const chainsOf = async (): Promise<string> => inNetVm(host, ['nft', 'list', 'chains', 'inet']);
    const chain = /chain (out-web-\S+)/.exec(await chainsOf())?.[1];
    assert.ok(chain !== undefined, 'the VM has no chain');
    const site = ['inet', 'vifwatch', 'site_forward'];
    await inNetVm(host, ['nft', 'add', 'rule', ...site, 'iifname', 'nothing', 'jump', chain]);
    await destroy(host, web);
    await destroy(host, mail);
    await until('status reports the failure', async () =>
      Boolean((await status(host)).daemon?.trouble?.includes('nft')),
    );
    writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "internet"\n');
    await create(host, web);
    await create(host, mail);
    await inNetVm(host, ['nft', 'flush', 'chain', ...site]);
    await until('the chain is gone', async () => !(await chainsOf()).includes(`${chain} `));
    await until('status is healthy', async () => (await status(host)).healthy);
  }));

/**
 * A newer nft prints lists of one item without brackets in its JSON. The daemon must not close a vif, nor
 * report the ruleset as lost.
 */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { attachRaw, becomesConnected, isUp, serveOne } from '../network/daemon/net-vm.ts';
import { withStandIn } from '../network/daemon/stand-in.ts';
import { sh } from './in-namespace.ts';
import { fault } from './known.ts';

const changed = `case " $* " in *" -j "*)
  /usr/sbin/nft "$@" >"$0.out.$$"; rc=$?
  sed -e 's/"flags": \\["interval"\\]/"flags": "interval"/g; s/\\["saddr"\\]/"saddr"/g' <"$0.out.$$"
  rm "$0.out.$$"; exit $rc;;
esac`;

test.fails(fault('nft-upgrade', 'attaching a vif reports no lost firewall'), () =>
  withStandIn('nft', changed, async (host, flag) => {
    await serveOne(host);
    const before = host.daemon.log().length;
    flag.set();
    const second = await host.create({ name: 'second' });
    await attachRaw(host, second, {});
    await becomesConnected(host, second);
    await delay(4_000);
    assert.doesNotMatch(host.daemon.log().slice(before), /FIREWALL_LOST/);
  }),
);

test.fails(fault('nft-upgrade', 'a change of site rules closes no vif'), () =>
  withStandIn('nft', changed, async (host, flag) => {
    const guest = await serveOne(host);
    const before = host.daemon.log().length;
    flag.set();
    const rounds: (boolean | undefined)[] = [];
    for (let round = 0; round < 8; round += 1) {
      const chain = 'inet vifwatch site_forward';
      await sh(host, `nft 'add rule ${chain} counter'; nft 'flush chain ${chain}'`);
      await delay(1_500);
      rounds.push(await isUp(host, `vif${guest}.0`));
    }
    assert.doesNotMatch(host.daemon.log().slice(before), /FIREWALL_LOST/);
    assert.ok(rounds.every((isOpen) => isOpen === true));
  }),
);

/** nft is upgraded while the daemon runs, and prints another form of JSON: that is no change of the ruleset. */
import assert from 'node:assert/strict';
import { expect, test } from 'vitest';
import { sh } from '../../faults/in-namespace.ts';
import { until } from '../../support/until.ts';
import { attachRaw, becomesConnected, isUp, serveOne, status } from './net-vm.ts';
import { withStandIn } from './stand-in.ts';

/** An nft whose JSON output passes through sed. */
const printing = (script: string): string => `case " $* " in *" -j "*)
  /usr/sbin/nft "$@" >"$0.out.$$"; rc=$?
  sed -e '${script}' <"$0.out.$$"
  rm "$0.out.$$"; exit $rc;;
esac`;

const otherForms = [
  // As nft 1.1.4 does.
  [
    'lists single items without brackets',
    's/"flags": \\["\\(interval\\|timeout\\)"\\]/"flags": "\\1"/g; s/\\["saddr"\\]/"saddr"/g',
  ],
  [
    'has another version and another form',
    's/"version": "[^"]*"/"version": "9.9"/; s/"op": "=="/"op": "eq"/g',
  ],
] as const;

test.each(otherForms)('an nft that %s disturbs no vif, and damage is still repaired', (_, script) =>
  withStandIn('nft', printing(script), async (host, flag) => {
    const guest = await serveOne(host);
    const before = host.daemon.log().length;
    flag.set();
    const second = await host.create({ name: 'second' });
    await attachRaw(host, second, {});
    await becomesConnected(host, second);
    const link = `vif${guest}.0`;
    for (let round = 0; round < 8; round += 1) {
      await sh(host, `nft 'delete element inet vifwatch vif { "${link}" }'`);
      await until('the element is there again', async () =>
        (await sh(host, 'nft list set inet vifwatch vif')).includes(`"${link}"`),
      );
      assert.ok(await isUp(host, link));
    }
    assert.doesNotMatch(host.daemon.log().slice(before), /FIREWALL_LOST/);
    await sh(host, 'nft flush chain inet vifwatch guard');
    await until('the rules are loaded again', () =>
      host.daemon.log().slice(before).includes('FIREWALL_LOST'),
    );
    expect((await status(host)).drops).not.toBe(null);
  }),
);

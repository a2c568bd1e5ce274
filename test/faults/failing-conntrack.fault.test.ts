/**
 * The conntrack program fails after one VM's policy has changed. Another VM's new policy must be in force for
 * new flows within a second.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { test } from 'vitest';
import { withStandIn } from '../network/daemon/stand-in.ts';
import { outside4 } from '../rig/host.ts';
import { assertReaches, ping } from '../scenario/ping.ts';
import { create, mail, web } from '../scenario/vms.ts';
import { reactionMs, within } from './in-namespace.ts';
import { fault } from './known.ts';

test.fails.each(['exit 127', 'sleep 2; exit 1'])(
  fault('n1', 'another VM\'s policy is in force while conntrack runs "%s"'),
  (script) =>
    withStandIn('conntrack', script, async (host, flag) => {
      await create(host, web);
      await create(host, mail);
      await assertReaches({ host, from: mail }, outside4);
      flag.set();
      writeFileSync(`${host.daemon.policies}/web.toml`, 'profile = "isolated"\n');
      await delay(1_500);
      writeFileSync(`${host.daemon.policies}/mail.toml`, 'profile = "isolated"\n');
      const isIsolated = async (): Promise<boolean> =>
        (await ping({ host, from: mail }, outside4, 1)).received === 0;
      assert.ok(await within(reactionMs, isIsolated), 'the new policy is not in force');
    }),
);

/**
 * `xl shutdown` fails, since the guest has no PV control. `recreate` must try ACPI before it destroys the
 * guest.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { shells, withDom0 } from '../dom0/dom0.ts';
import { fault } from './known.ts';

test.fails.each(shells)(
  fault('recreate-gentle', 'a guest gets an ACPI event first (%s)'),
  (shell) =>
    withDom0(shell, async (dom0) => {
      assert.equal((await dom0.run('autostart', ['--parallel'])).status, 0);
      const log = `${dom0.sim.directory}/xl-calls`;
      const domid = dom0.domidOf('mgmt-vm');
      dom0.before(
        'xl',
        `echo "$*" >>${log}
      case "$*" in
      shutdown*-F* | trigger*power*) sleep 2; set -- destroy ${domid} ;;
      shutdown*)
        echo "Shutting down domain ${domid}" >&2
        echo "PV control interface not available: external graceful shutdown not possible." >&2
        echo "Use \\"-F\\" to fallback to ACPI power event." >&2
        exit 1 ;;
      esac`,
      );
      await dom0.run('recreate', ['mgmt-vm']);
      assert.match(readFileSync(log, 'utf8'), /^(shutdown.*-F|trigger.* power)/m);
    }),
);

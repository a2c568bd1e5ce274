/** `vifwatch status` with and without a daemon, and the messages for a bad command line. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import { describe, test } from 'vitest';
import type { Status } from '../../../src/network/status/status.ts';
import { gateway4, gateway6 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { until } from '../../support/until.ts';
import { attachRaw, becomesConnected, becomesRefused, macOf, status, withNetVm } from './net-vm.ts';

const time = v.pipe(v.string(), v.isoTimestamp());

/** The status document as vifwatch(8) describes it: every field is required, and no other is allowed. */
const documentSchema = v.strictObject({
  schema: v.literal(1),
  healthy: v.boolean(),
  daemon: v.nullable(
    v.strictObject({
      pid: v.number(),
      since: time,
      version: v.string(),
      trouble: v.nullable(v.string()),
      notices: v.array(v.string()),
    }),
  ),
  panic: v.boolean(),
  uplinks: v.array(v.string()),
  gateways: v.array(v.string()),
  vifs: v.array(
    v.strictObject({
      domid: v.number(),
      devid: v.number(),
      name: v.nullable(v.string()),
      link: v.string(),
      mac: v.nullable(v.string()),
      addresses: v.array(v.string()),
      phase: v.picklist(['waiting', 'configuring', 'connected', 'closing', 'error']),
      since: v.nullable(time),
      error: v.nullable(v.strictObject({ code: v.string(), text: v.string() })),
      claim: v.nullable(v.strictObject({ text: v.string(), count: v.number() })),
      refused: v.nullable(v.number()),
    }),
  ),
  drops: v.nullable(v.record(v.string(), v.number())),
  routes: v.array(
    v.strictObject({ prefix: v.string(), link: v.string(), via: v.nullable(v.string()) }),
  ),
});

/** Serves one vif with hosts and a network; a second vif with the same address is refused. */
const serveTwo = async (host: SimHost): Promise<{ good: number; bad: number }> => {
  const good = await host.create({ name: 'good' });
  await attachRaw(host, good, { ip: '10.0.5.30 10.9.0.0/24 fd00:5::30' });
  await becomesConnected(host, good);
  const bad = await host.create({ name: 'bad' });
  await attachRaw(host, bad, { ip: '10.0.5.30' });
  await becomesRefused(host, bad, 'ADDRESS_TAKEN');
  return { good, bad };
};

/** The parts of a status that are known without a daemon: no times, no counts. */
const visible = ({ vifs, routes, uplinks, gateways }: Status) => ({
  vifs: vifs.map(({ since: _, claim, ...vif }) => ({ ...vif, claim: claim?.text ?? null })),
  routes,
  uplinks,
  gateways,
});

/** The rows of the text, without the column of times. */
const rowsOf = (text: string): string[] =>
  text
    .replace(/ SINCE \(UTC\)/, '')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, '-')
    .split('\n')
    .slice(1)
    .map((line) => line.replaceAll(/ +/g, ' ').trim());

test('the exit status is 0 if healthy, 1 if not, and 69 without a daemon', async () => {
  await withNetVm(async (host) => {
    const ask = async (): Promise<number> => (await host.inNetVm(['vifwatch', 'status'])).status;
    assert.equal(await ask(), 0);
    const { bad } = await serveTwo(host);
    assert.equal(await ask(), 1);
    await host.destroy('bad');
    await until(
      `the exit status is 0 after the end of domain ${bad}`,
      async () => (await ask()) === 0,
    );
    await host.signalDaemon('SIGKILL');
    assert.equal(await ask(), 69);
    await host.startDaemon();
    await host.signalDaemon('SIGTERM');
    assert.equal(await ask(), 69);
  });
});

test('the document has exactly the documented fields, with the right values', async () => {
  await withNetVm(async (host) => {
    const { good, bad } = await serveTwo(host);
    const found = v.parse(documentSchema, await status(host));
    assert.equal(found.healthy, false);
    assert.equal(found.daemon?.pid, host.daemon.pid());
    assert.deepEqual(found.uplinks, ['eth0']);
    assert.deepEqual(found.gateways, [gateway4, gateway6]);
    assert.deepEqual(
      found.vifs.map(({ since: _, ...vif }) => vif),
      [
        {
          domid: good,
          devid: 0,
          name: 'good',
          link: `vif${good}.0`,
          mac: macOf(good),
          addresses: ['10.9.0.0/24', '10.0.5.30', 'fd00:5::30'],
          phase: 'connected',
          error: null,
          claim: null,
          refused: 0,
        },
        {
          domid: bad,
          devid: 0,
          name: 'bad',
          link: `vif${bad}.0`,
          mac: macOf(bad),
          addresses: ['10.0.5.30'],
          phase: 'error',
          error: { code: 'ADDRESS_TAKEN', text: `10.0.5.30 belongs to the live vif ${good}/0` },
          claim: null,
          refused: 0,
        },
      ],
    );
    const link = `vif${good}.0`;
    assert.deepEqual(found.routes, [
      { prefix: '10.0.5.30', link, via: null },
      { prefix: '10.9.0.0/24', link, via: '169.254.0.1' },
      { prefix: 'fd00:5::30', link, via: null },
    ]);
  });
});

test('vifwatch(8) names every field', () => {
  const page = readFileSync(new URL('../../../man/vifwatch.8', import.meta.url), 'utf8');
  const section = /^\.Sh STATUS DOCUMENT$[\s\S]*?(?=^\.Sh )/m.exec(page)?.[0] ?? '';
  const named = new Set(section.match(/(?<=^\.(?:It )?Va .*)\w+/gm));
  const { daemon, vifs, routes } = documentSchema.entries;
  const fields = [
    ...Object.keys(documentSchema.entries),
    ...[daemon.wrapped, vifs.item, routes.item].flatMap(({ entries }) => Object.keys(entries)),
  ];
  for (const field of fields) assert.ok(named.has(field), field);
});

test('without a daemon, status says so and shows the same vifs and routes', async () => {
  await withNetVm(async (host) => {
    await serveTwo(host);
    const claim = ['xenstore-write', 'device/vif/0/ip', '6.6.6.6'];
    assert.equal((await host.inVm('good', claim)).status, 0);
    await host.signalDaemon('SIGKILL');
    await host.startDaemon();
    const ask = async (): Promise<string> => (await host.inNetVm(['vifwatch', 'status'])).stdout;
    const [document, text] = [await status(host), await ask()];
    assert.equal(document.vifs[0]?.claim?.text, '6.6.6.6');
    assert.match(text, /^vifwatch \d+\.\d+\.\d+ runs as \d+ since /);
    await host.signalDaemon('SIGKILL');
    const [alone, aloneText] = [v.parse(documentSchema, await status(host)), await ask()];
    assert.equal(alone.daemon, null);
    assert.equal(alone.healthy, false);
    assert.deepEqual(visible(alone), visible(document));
    assert.match(aloneText, /^vifwatch is NOT RUNNING/);
    const withoutCount = (row: string): string => row.replace(/ \(claims so far: \d+\)/, '');
    assert.deepEqual(rowsOf(aloneText).map(withoutCount), rowsOf(text).map(withoutCount));
    assert.ok(rowsOf(text).some((row) => row.includes('ADDRESS_TAKEN')));
  });
});

describe('the command line', () => {
  test('an unknown command, option or argument is named, and nothing is done', async () => {
    await withNetVm(
      async (host) => {
        const cases = [
          { argv: ['frobnicate'], says: /unknown command 'frobnicate'/ },
          { argv: ['status', '--jsn'], says: /unknown option '--jsn'/ },
          { argv: ['run', 'now'], says: /too many arguments/ },
          { argv: [], says: /^Usage: vifwatch/ },
        ];
        for (const { argv, says } of cases) {
          const { status: exit, stdout, stderr } = await host.inNetVm(['vifwatch', ...argv]);
          assert.match(stderr, says);
          assert.equal(stdout, '');
          // Exit status 1 would mean "not healthy", 69 "no daemon".
          assert.equal(exit, 64, argv.join(' '));
        }
      },
      { daemon: false },
    );
  });

  test('a second daemon is refused, even with its own runtime directory', async () => {
    await withNetVm(async (host) => {
      for (const own of [[], ['--runtime', `${host.sim.directory}/other`]]) {
        const { status: exit, stdout } = await host.inNetVm(['vifwatch', ...own, 'run']);
        assert.equal(exit, 1);
        assert.match(stdout, /"code":"ALREADY_RUNNING"/);
      }
      assert.equal((await status(host)).healthy, true);
    });
  });
});

/**
 * Each program of the daemon fails in each way at each place where the daemon uses it, while vifs come, change
 * and go. Afterwards all policies are in force, and the state is that of a new daemon.
 */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { test } from 'vitest';
import { outside4 } from '../../rig/host.ts';
import type { SimHost } from '../../rig/sim/sim-host.ts';
import { removeVif } from '../../rig/sim/toolstack.ts';
import { namespaceOf } from '../../rig/sim/topology.ts';
import { create, inNetVm, mail, web } from '../../scenario/vms.ts';
import { printFigures } from '../../support/figures.ts';
import { seed } from '../../support/seed.ts';
import { hangMs, until } from '../../support/until.ts';
import { attachRaw, becomesConnected, place } from './net-vm.ts';
import { startEcho, startProbe } from './probe.ts';
import { settled, statusOf, wipe } from './settled-state.ts';
import { withScripts } from './stand-in.ts';

/** The uses of the programs: the arguments of each, as a shell pattern. */
const uses = [
  ['nft', '-j -f *'],
  ['nft', '-j list table *'],
  ['nft', '-j -s -t list *'],
  ['nft', '-j list counters'],
  ['ip', '-force -batch *'],
  ['ip', '-j -batch *'],
  ['conntrack', '-L *'],
  ['conntrack', '-R *'],
] as const;

/** The ways to fail: shell commands, in which $real is the program itself. */
const ways = {
  'is missing': 'exit 127',
  fails: 'echo failed >&2; exit 1',
  'is slow': 'sleep 1',
  'is killed': 'kill -KILL $$',
  'prints garbage': 'cat >/dev/null; echo "{]garbage"; exit 0',
  'prints nothing': 'cat >/dev/null; exit 0',
  'prints half a line': '"$real" "$@" | head -c 60; exit 0',
} as const;

type Way = keyof typeof ways;
type Program = (typeof uses)[number][0];

const cases = uses.flatMap(([program, use]) =>
  (Object.keys(ways) as Way[]).map((way) => ({ program, use, way })),
);

/** Each program with a case of its own for each way, until the fault file goes away. */
const scripts = (directory: string): Readonly<Record<Program, string>> => {
  const scriptOf = (program: Program): string => {
    const arms = cases
      .filter((one) => one.program === program)
      .map(({ use, way }) => {
        const pattern = use.replaceAll(' ', '\\ ');
        return `"${program} ${use} ${way}") case "$*" in ${pattern}) ${ways[way]};; esac;;`;
      });
    const fault = `"$(cat ${directory}/fault 2>/dev/null)"`;
    return `real=/usr/sbin/${program}\ncase ${fault} in\n${arms.join('\n')}\nesac\nexec $real "$@"`;
  };
  return { nft: scriptOf('nft'), ip: scriptOf('ip'), conntrack: scriptOf('conntrack') };
};

const isolate = (host: SimHost, name: string): void =>
  writeFileSync(`${host.daemon.policies}/${name}.toml`, 'profile = "isolated"\n');

/** `npm run nightly` asks for all. */
const { VIFWATCH_FAILURES = '3' } = process.env;
const count = Math.min(Number(VIFWATCH_FAILURES), cases.length);

/** A sample that another seed changes; 23 and the number of cases have no common divisor. */
const sample = [...Array(count).keys()].flatMap(
  (index) => cases[(seed + index * 23) % cases.length] ?? [],
);

let ended = 0;

test.each(sample)(
  '$program $use $way, while vifs come, change and go',
  (failure) =>
    withScripts(scripts, async (host, directory) => {
      await startEcho(host, 'world', outside4);
      const webAt = namespaceOf(await create(host, web));
      const going = await create(host, mail);
      const flow = await startProbe(host, webAt, 'tcp', outside4);
      writeFileSync(`${directory}/fault`, `${failure.program} ${failure.use} ${failure.way}`);

      isolate(host, web.name);
      const coming = await host.create({ name: 'coming' });
      await attachRaw(host, coming, { ip: '10.0.5.40' });
      const removal = removeVif(host.dom0, place(going), true);
      // It fails if the daemon removes a route meanwhile.
      await until('the routes are flushed', async () => {
        const { status } = await host.inNetVm(['ip', 'route', 'flush', 'proto', '86']);
        return status === 0;
      });
      await inNetVm(host, ['nft', 'flush', 'set', 'inet', 'vifwatch', 'address4']);
      isolate(host, 'coming');
      await until('the policies are read', () => host.daemon.log().includes('"coming"'));

      rmSync(`${directory}/fault`);
      await removal;
      await becomesConnected(host, coming);
      await flow.isCut();
      const lived = await settled(host);
      const { healthy, vifs } = await statusOf(host);
      assert.ok(healthy, JSON.stringify(vifs));
      await host.signalDaemon('SIGTERM');
      await wipe(host);
      await host.startDaemon();
      assert.equal(lived, await settled(host));
      ended += 1;
      printFigures({ failures: ended, seed });
    }),
  hangMs * 4,
);

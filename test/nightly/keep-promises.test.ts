import { expect, test } from 'vitest';
import { directoryWith } from '../support/directory.ts';
import { scenariosPass } from './judge.ts';
import { keepPromises } from './keep-promises.ts';
import type { NightlyPromise } from './promises.ts';

const stub = (name: string, script: string): NightlyPromise => ({
  part: 'lab',
  name,
  promise: `Xen does ${name}`,
  bound: 'all pass',
  usualMinutes: 1,
  argv: ['sh', '-c', script],
  env: { FACTS: '{"ok":true,"facts":{"scenarios":2}}' },
  judge: scenariosPass,
});

const good = stub('well', 'echo "seed $VIFWATCH_SEED"; echo "$FACTS"');
const failing = stub('badly', 'echo "$FACTS"; echo "no network" >&2; exit 1');
const silent = stub('silently', 'echo nothing');
const absent = { ...good, name: 'nothing', argv: ['/nowhere/no-program'] };

/** Runs promises; resolves with their verdict and their console output. */
const keep = async (promises: readonly NightlyPromise[], interruption = new AbortController()) => {
  const directory = directoryWith();
  const [lines, explained]: [string[], string[]] = [[], []];
  const areMet = await keepPromises(promises, {
    directory,
    seed: 7,
    signal: interruption.signal,
    print: (line) => lines.push(line.replace(directory, 'LOGS')),
    explain: (text) => explained.push(text),
  });
  return { areMet, lines, explained };
};

test('a kept promise is one line with its figure', async () => {
  const { areMet, lines, explained } = await keep([good]);
  expect(areMet).toBe(true);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(
    /^ok {4}lab {2}Xen does well: scenarios 2 \(all pass\) {2}0\.\d min {2}LOGS\/lab\/well\.log$/,
  );
  expect(explained).toEqual([]);
});

test('one miss makes the whole run a miss, and the other promises still run', async () => {
  const { areMet, lines, explained } = await keep([failing, good]);
  expect(areMet).toBe(false);
  expect(lines.map((line) => line.slice(0, 4))).toEqual(['MISS', 'ok  ']);
  expect(lines[0]).toContain('exit status 1; scenarios 2');
  expect(explained.join()).toContain('no network');
});

test('a command without a figure is a miss', async () => {
  const { areMet, lines } = await keep([silent]);
  expect(areMet).toBe(false);
  expect(lines[0]).toMatch(/^MISS .*the output has no result/);
});

test('a command that cannot be run is a miss', async () => {
  const { areMet, lines } = await keep([absent]);
  expect(areMet).toBe(false);
  expect(lines[0]).toMatch(/^MISS .*could not be run/);
});

test('a run without promises is a miss', async () => {
  expect((await keep([])).areMet).toBe(false);
});

test('an interruption is a miss, and no further command runs', async () => {
  const interruption = new AbortController();
  interruption.abort();
  const { areMet, lines } = await keep([stub('slowly', 'sleep 1000'), good], interruption);
  expect(areMet).toBe(false);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^MISS .*interrupted/);
});

/** vifwatch(8) has a row for each setting that vifwatch gives to a vif. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settingsFor } from '../../../src/network/state/link-settings.ts';

const page = readFileSync(new URL('../../../man/vifwatch.8', import.meta.url), 'latin1');

const paths = [true, false].flatMap((hasIpv6) => settingsFor(hasIpv6).map(({ path }) => path));

test.each([...new Set(paths)])('vifwatch(8) names %s', (path) => {
  const rows = page.split('\n').filter((line) => line.startsWith('.It Pa '));
  expect(rows.flatMap((row) => row.split(' '))).toContain(path.replace('*', 'VIF'));
});

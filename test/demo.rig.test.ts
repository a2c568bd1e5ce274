import { execa } from 'execa';
import { expect, test } from 'vitest';
import { hangMs } from './support/until.ts';

test('the demo runs to its end', async () => {
  const demo = new URL('demo.ts', import.meta.url).pathname;
  const { exitCode, all } = await execa(process.execPath, ['--import', 'tsx', demo], {
    all: true,
    reject: false,
    timeout: hangMs,
  });
  expect(exitCode, all).toBe(0);
});

import { execa } from 'execa';
import { expect, test } from 'vitest';

test('the demo runs to its end', async () => {
  const demo = new URL('demo.ts', import.meta.url).pathname;
  const { exitCode, all } = await execa(process.execPath, ['--import', 'tsx', demo], {
    all: true,
    reject: false,
  });
  expect(exitCode, all).toBe(0);
});

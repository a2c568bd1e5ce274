import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { claimNamespace } from '../../src/system/one-per-namespace.ts';
import { loadNative } from '../../src/xen/native.ts';

const { lockFile } = loadNative();

const own = `/run/vifwatch.${statSync('/proc/self/ns/net').ino}.lock`;

test('only one process has the claim, and its file goes with it', async () => {
  const claim = await claimNamespace('vifwatch', lockFile);
  expect(statSync(own).mode & 0o777).toBe(0o600);
  await expect(claimNamespace('vifwatch', lockFile)).rejects.toMatchObject({
    code: 'ALREADY_RUNNING',
  });
  const other = await claimNamespace('vifwatch-agent', lockFile);
  await other.close();
  await claim.close();
  expect(existsSync(own)).toBe(false);
});

test('a file that a killed process has left is taken over', async () => {
  writeFileSync(own, '');
  await (await claimNamespace('vifwatch', lockFile)).close();
  expect(existsSync(own)).toBe(false);
});

test('a lock on a file that its last holder has just removed is no claim', async () => {
  let attempts = 0;
  const claim = await claimNamespace('vifwatch', (descriptor) => {
    attempts += 1;
    if (attempts === 1) rmSync(own);
    return lockFile(descriptor);
  });
  expect(attempts).toBe(2);
  await expect(claimNamespace('vifwatch', lockFile)).rejects.toThrow('another vifwatch');
  await claim.close();
});

import { mkdtempSync, rmSync } from 'node:fs';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { netVm, startDomains } from './domains.ts';
import { runChild } from './run-child.ts';

/** Builds the library whose allocations fail; resolves with its path. */
const buildNoMemory = async (): Promise<string> => {
  const directory = mkdtempSync('/tmp/no-memory-');
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const source = new URL('no-memory.cc', import.meta.url).pathname;
  const library = `${directory}/libnomemory.so`;
  await execa('g++', ['-shared', '-fPIC', '-O1', '-o', library, source]);
  return library;
};

test('a request whose thread has no memory rejects with ENOMEM, and the next request works', async () => {
  const library = await buildNoMemory();
  const { env } = await startDomains('xenstored');
  const variables = env({ domid: netVm });
  const preload = [library, variables['LD_PRELOAD']].filter(Boolean).join(' ');
  const outcomes = await runChild('no-memory', { env: { ...variables, LD_PRELOAD: preload } });
  expect(outcomes).toEqual([`${netVm}`, 'ENOMEM', expect.anything(), `${netVm}`]);
});

/** An agent in a process of its own: it has inherited descriptors, or does not run as root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleProgram } from '../vchan/ends.ts';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
let program: string;
beforeAll(async () => {
  rig = await openRig();
  program = await bundleProgram(new URL('./child/agent.ts', import.meta.url));
});
const agents: ChildProcess[] = [];
afterAll(async () => {
  for (const agent of agents) agent.kill('SIGKILL');
  await rm(program);
  await rig.close();
});

type Setting = { readonly prefix?: readonly string[]; readonly given?: number };

const runAgent = (
  service: string,
  user: string | undefined,
  { prefix = [], given }: Setting,
): Promise<string> => {
  const argv = [program, rig.directory, service, ...(user === undefined ? [] : [user])];
  const [file = '', ...args] = [...prefix, process.execPath, ...argv];
  // Node itself keeps its children from inheriting the descriptors up to 15.
  const more = Array.from({ length: 41 }, (_, fd) => (fd === 3 || fd === 40 ? given : undefined));
  const started = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'inherit', ...more.slice(3).map((fd) => fd ?? 'ignore')],
  });
  agents.push(started);
  return text(started.stdout as Readable);
};

test.concurrent('a service has descriptors 0 to 2 and no other', async () => {
  // A child lists the shell's descriptors, without its own. A pipeline would add the shell's end of its pipe.
  await rig.script('descriptors', '#!/bin/sh\nreadlink /proc/$$/fd/*\nexit 0\n');
  const given = openSync('/etc/group', 'r');
  const said = await runAgent('descriptors', undefined, { given });
  closeSync(given);
  // The shell itself has opened its script.
  expect(said.split('\n').filter((line) => !line.includes('services/descriptors'))).toEqual([
    ...Array(3).fill(expect.stringMatching(/^pipe:/)),
    '{"kind":"exited","status":0}',
    '',
  ]);
});

const nobody = { prefix: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] };

test.concurrent('an agent that is not root runs services as itself', async () => {
  await rig.script('who', '#!/bin/sh\nid -un\n');
  expect(await runAgent('who', undefined, nobody)).toBe('nobody\n{"kind":"exited","status":0}\n');
});

test.concurrent('an agent that is not root cannot run a service as another user', async () => {
  await rig.script('as-root', '#!/bin/sh\nid -un\n');
  const said = await runAgent('as-root', 'root', nobody);
  expect(said).toContain('only an agent run by root can run a service as root');
  expect(said).toContain('"code":"failed"');
});

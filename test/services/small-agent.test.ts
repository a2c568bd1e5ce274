/** What only a process of its own can show: descriptors that it was started with, and not to be root. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRig, type Rig } from './rig.ts';

let rig: Rig;
beforeAll(async () => {
  rig = await openRig();
});
afterAll(() => rig.close());

const source = new URL('../../src/services/', import.meta.url).pathname;

/** Has files and sockets open, calls one service, and prints what that says, how it ended and what was reported. */
const agent = (service: string, user: string | undefined): string => `
import { closeInherited } from '${source}inherited.ts';
import { runService } from '${source}run-service.ts';
import { openServices } from '${source}services.ts';
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
closeInherited();
openSync('/etc/passwd', 'r');
const server = createServer().listen(0);
const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
stdout.on('data', (chunk) => process.stdout.write(chunk));
const cancelled = new AbortController().signal;
const ended = await runService({
  request: { target: '', service: '${service}', argument: '' }, source: 'work-vm', sourceDomid: 7,
  user: ${JSON.stringify(user)}, stdin, stdout, stderr, cancelled,
}, openServices({ directory: '${rig.directory}', report: (text) => console.log(text) }));
console.log(JSON.stringify(ended));
server.close();
`;

type Setting = { readonly prefix?: readonly string[]; readonly given?: number };

const runAgent = (
  service: string,
  user: string | undefined,
  { prefix = [], given }: Setting,
): Promise<string> => {
  const argv = [process.execPath, '--import', 'tsx', '--input-type=module', '-e'];
  const [file = '', ...args] = [...prefix, ...argv, agent(service, user)];
  // Node takes care itself of those up to 15.
  const more = Array.from({ length: 41 }, (_, fd) => (fd === 3 || fd === 40 ? given : undefined));
  const started = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'inherit', ...more.slice(3).map((fd) => fd ?? 'ignore')],
  });
  return text(started.stdout as Readable);
};

test.concurrent('a service has descriptors 0 to 2 and no other', async () => {
  // By a child, which does not list its own. No shell pipeline, whose pipe the shell might still have.
  await rig.script('descriptors', '#!/bin/sh\nreadlink /proc/$$/fd/*\nexit 0\n');
  const given = openSync('/etc/group', 'r');
  const said = await runAgent('descriptors', undefined, { given });
  closeSync(given);
  // What the shell reads from is the shell's.
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

test.concurrent('and as nobody else', async () => {
  await rig.script('as-root', '#!/bin/sh\nid -un\n');
  const said = await runAgent('as-root', 'root', nobody);
  expect(said).toContain('only an agent run by root can run a service as root');
  expect(said).toContain('"code":"failed"');
});

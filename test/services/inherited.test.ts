/** A service has three descriptors, whatever we have open and were started with. */

import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { openRig } from './rig.ts';

/** An agent in small: it was started with something at 3 and 40, has files and sockets open, and runs one service. */
const agent = (directory: string): string => `
import { closeInherited } from '${process.cwd()}/src/services/inherited.ts';
import { runService } from '${process.cwd()}/src/services/run-service.ts';
import { openServices } from '${process.cwd()}/src/services/services.ts';
import { openSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
closeInherited();
openSync('/etc/passwd', 'r');
const server = createServer().listen('${directory}/agent.sock');
const stdout = new PassThrough();
stdout.pipe(process.stdout);
const ended = await runService({
  request: { target: '', service: 'descriptors', argument: '' },
  source: 'vm', sourceDomid: 1, user: undefined, cancelled: new AbortController().signal,
  stdin: new PassThrough(), stdout, stderr: process.stderr,
}, openServices({ directory: '${directory}', report: console.error }));
server.close();
`;

test('a service has descriptors 0 to 2 and no other', async () => {
  const rig = await openRig();
  // By a child, which does not list its own; what the shell reads from is the shell's.
  await rig.script(
    'descriptors',
    '#!/bin/sh\nreadlink /proc/$$/fd/* | grep -v services/descriptors\n',
  );
  const given = openSync('/etc/group', 'r');
  const stdio = Array.from({ length: 41 }, (_, fd) => (fd === 3 || fd === 40 ? given : 'ignore'));
  const started = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', agent(rig.directory)],
    { stdio: ['ignore', 'pipe', 'inherit', ...stdio.slice(3)] },
  );
  const said = await text(started.stdout as Readable);
  expect(said.split('\n')).toEqual([...Array(3).fill(expect.stringMatching(/^socket:/)), '']);
  await rig.close();
});

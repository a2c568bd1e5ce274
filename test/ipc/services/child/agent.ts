/**
 * Holds files and sockets open and calls one service. Prints its output, the reports and the outcome.
 * Usage: `agent <directory> <service> [<user>]`.
 */
import { openSync } from 'node:fs';
import { createServer } from 'node:net';
import { PassThrough } from 'node:stream';
import { closeInherited } from '../../../../src/ipc/services/inherited.ts';
import { runService } from '../../../../src/ipc/services/run-service.ts';
import { openServices } from '../../../../src/ipc/services/services.ts';

closeInherited();
const [directory = '', service = '', user] = process.argv.slice(2);
openSync('/etc/passwd', 'r');
const server = createServer().listen(0);
const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
stdout.on('data', (chunk) => process.stdout.write(chunk));
const cancelled = new AbortController().signal;
const ended = await runService(
  {
    request: { target: '', service, argument: '' },
    source: 'work-vm',
    via: undefined,
    user,
    stdin,
    stdout,
    stderr,
    cancelled,
  },
  openServices({
    configDirectory: '/etc/vifwatch/services.d',
    directory,
    report: (text) => console.log(text),
  }),
);
console.log(JSON.stringify(ended));
server.close();

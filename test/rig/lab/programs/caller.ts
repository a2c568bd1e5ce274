/**
 * caller VM SERVICE FILE: calls a service again and again until SIGTERM. It appends a line for each call to
 * the file: the milliseconds, the exit status or the failure, and the service's output.
 */
import { appendFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { openMux } from '../../../../src/ipc/protocol/mux.ts';

const [target = '', service = '', file = ''] = process.argv.slice(2);
const socket = createConnection({ path: '/run/vifwatch/agent.sock', allowHalfOpen: true });
const mux = openMux(socket, { role: 'client', name: 'caller', onCall: () => {} });
let wanted = true;
process.once('SIGTERM', () => {
  wanted = false;
});
await mux.ready;
while (wanted) {
  const began = performance.now();
  const call = mux.open({ target, service, argument: '' });
  call.stdin.end();
  const [said, outcome] = await Promise.all([text(call.stdout).catch(String), call.outcome]);
  const became = outcome.kind === 'exited' ? `${outcome.status}` : JSON.stringify(outcome);
  appendFileSync(file, `${Math.round(performance.now() - began)} ${became} ${said.trim()}\n`);
}
process.exit();

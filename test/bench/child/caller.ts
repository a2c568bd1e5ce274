/**
 * A program that calls through the agent at SOCKET, or works without an agent. It prints times as JSON.
 *   caller stream SOCKET SECONDS COUNT      sends COUNT streams to the service "sink" for SECONDS
 *   caller raw PATH SECONDS                 sends data to the unix socket PATH for SECONDS
 *   caller round-trips SOCKET COUNT         the median of round trips with the service "echo"; microseconds
 *   caller direct-round-trips PATH COUNT    the same with a service's own socket
 *   caller fresh SOCKET COUNT PROGRAM       calls of the service "true", and starts of PROGRAM; milliseconds
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { OutgoingCall } from '../../../src/ipc/protocol/call.ts';
import { type Mux, openMux } from '../../../src/ipc/protocol/mux.ts';
import { roundTrips } from './round-trips.ts';

const target = 'sa-vm';

const block = Buffer.alloc(64 * 1024, 'x');

const connect = async (path: string): Promise<Socket> => {
  const socket = createConnection({ path, allowHalfOpen: true });
  await once(socket, 'connect');
  return socket;
};

const openLink = async (path: string): Promise<Mux> => {
  const mux = openMux(await connect(path), { role: 'client', name: 'bench', onCall: () => {} });
  await mux.ready;
  return mux;
};

const open = (link: Mux, service: string): OutgoingCall =>
  link.open({ target, service, argument: '' });

const endOf = async ({ stdout, stderr, outcome }: OutgoingCall): Promise<void> => {
  stdout.resume();
  stderr.resume();
  const end = await outcome;
  if (end.kind !== 'exited' || end.status !== 0) throw new Error(JSON.stringify(end));
};

const sendFor = async (to: Writable, seconds: number): Promise<void> => {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) if (!to.write(block)) await once(to, 'drain');
  to.end();
};

const timeOf = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

/** Starts a program as the agent does, and waits for its end. */
const start = async (program: string): Promise<void> => {
  const child = spawn(program, { detached: true, stdio: 'pipe', cwd: '/', env: {} });
  child.stdin.end();
  child.stdout.resume();
  child.stderr.resume();
  await once(child, 'close');
};

const fresh = async (link: Mux, count: number, program: string) => {
  const calls: number[] = [];
  const starts: number[] = [];
  const call = async (): Promise<void> => {
    const stream = open(link, 'true');
    stream.stdin.end();
    await endOf(stream);
  };
  for (let turn = 0; turn < count; turn += 1) {
    calls.push(await timeOf(call));
    starts.push(await timeOf(() => start(program)));
  }
  return { calls, starts };
};

const [mode, path = '', amount = '', last = ''] = process.argv.slice(2);
switch (mode) {
  case 'stream': {
    const link = await openLink(path);
    const calls = Array.from({ length: Number(last) }, () => open(link, 'sink'));
    const ends = Promise.all(calls.map(endOf));
    await Promise.all(calls.map(({ stdin }) => sendFor(stdin, Number(amount))));
    await ends;
    break;
  }
  case 'raw': {
    const socket = await connect(path);
    // The program behind the socket may hang.
    setTimeout(() => process.exit(), Number(amount) * 1000);
    await sendFor(socket, Number(amount));
    break;
  }
  case 'round-trips': {
    const { stdin, stdout } = open(await openLink(path), 'echo');
    console.log(JSON.stringify(await roundTrips(stdin, stdout, Number(amount))));
    break;
  }
  case 'direct-round-trips': {
    const socket = await connect(path);
    console.log(JSON.stringify(await roundTrips(socket, socket, Number(amount))));
    break;
  }
  case 'fresh':
    console.log(JSON.stringify(await fresh(await openLink(path), Number(amount), last)));
    break;
  default:
    throw new Error(`no mode ${mode}`);
}
process.exit();

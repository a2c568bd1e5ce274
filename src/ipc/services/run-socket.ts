/** Serves a call with a resident service at its unix socket. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { failedStatus } from '../protocol/call.ts';
import { fullName } from './environment.ts';
import { type Pumped, pump, pumpOut } from './pump.ts';
import { RefusedError } from './refused-error.ts';
import type { ServiceConfig } from './service-config.ts';
import type { ServiceCall } from './services.ts';
import { stoppedStatus, watchForStop } from './stop-reason.ts';

/** @throws RefusedError */
export const connectTo = async (path: string): Promise<Socket> => {
  const socket = connect({ path, allowHalfOpen: true });
  try {
    await once(socket, 'connect');
    return socket;
  } catch (error) {
    const code = String((error as NodeJS.ErrnoException).code);
    // The service's accept queue or the agent's descriptor table is full.
    const isBusy = ['EAGAIN', 'EMFILE', 'ENFILE'].includes(code);
    throw new RefusedError(isBusy ? 'busy' : 'failed', `connecting to ${path}: ${code}`);
  }
};

/**
 * `broken`: the service broke off. `unread`: the caller stopped reading, 141 as after
 * SIGPIPE.
 */
const statuses = { ended: 0, broken: failedStatus, unread: 141 } satisfies Record<Pumped, number>;

const written = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.writableFinished || socket.destroyed) resolve();
    else socket.once('finish', resolve).once('close', resolve);
  });

const firstEnd = (
  socket: Socket,
  config: ServiceConfig,
  input: Promise<Pumped>,
  output: Promise<Pumped>,
): Promise<Pumped> => {
  const ends = [Promise.all([input, output]).then(([, how]) => how)];
  if (config['exit-on-service-eof']) ends.push(output);
  if (config['exit-on-client-eof']) {
    ends.push(
      input.then(async (how) => {
        if (how !== 'ended') return output;
        await written(socket);
        return socket.writableFinished ? how : output;
      }),
    );
  }
  return Promise.race(ends);
};

/** Resolves with the exit status. It must be called as soon as the socket is connected. Never rejects. */
export const runSocket = async (
  call: ServiceCall,
  config: ServiceConfig,
  socket: Socket,
  report: (text: string) => void,
): Promise<number> => {
  if (!config['skip-service-descriptor']) socket.write(`${fullName(call)} ${call.source}\0`);
  call.stderr.end();
  let closeCause = 'closed';
  socket.once('error', ({ message }) => {
    closeCause = message;
  });
  // After the end of its output, the service may be half-closed or gone. An empty write fails only if it is
  // gone.
  socket.once('end', () => socket.write(''));
  const input = pump(call.stdin, socket);
  const output = pumpOut(socket, call.stdout);
  const bytesMoved = (): number => socket.bytesWritten + socket.bytesRead;
  const watch = watchForStop(call.cancelled, config, input, bytesMoved);

  const end = await Promise.race([watch.stopped, firstEnd(socket, config, input, output)]);
  watch.close();
  socket.destroy();
  if (typeof end === 'string') {
    if (end === 'broken') report(`its connection broke off: ${closeCause}`);
    return statuses[end];
  }
  if (end.kind === 'too-long') report(end.text);
  return stoppedStatus;
};

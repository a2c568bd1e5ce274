/** Calls to a resident service at a unix socket. */
import { chmod, rename, rm, symlink } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until, untilFound } from '../../support/until.ts';
import { exited, openRig, type Rig, refused } from './rig.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await openRig();
});
afterEach(() => rig.close());

const echo = (socket: Socket): void => {
  socket.pipe(socket);
};

test('the connection begins with the service, its argument and the source', async () => {
  await rig.resident('echo', echo);
  expect(await rig.run('echo+key1', 'input')).toEqual({
    ended: exited(0),
    stdout: 'echo+key1 work-vm\0input',
    stderr: '',
  });
  expect((await rig.run('echo')).stdout).toBe('echo+ work-vm\0');
  await rig.config('echo', 'skip-service-descriptor = true');
  expect((await rig.run('echo+key1', 'input')).stdout).toBe('input');
});

test('a root-owned link to a socket is trusted, although others can write to the socket', async () => {
  await rig.resident('echo', echo);
  await symlink('echo', join(rig.directory, 'alias'));
  await chmod(join(rig.directory, 'echo'), 0o777);
  expect((await rig.run('alias')).stdout).toBe('alias+ work-vm\0');
});

test('a link to a missing socket is a failure, not a missing service', async () => {
  await rig.resident('gone', echo);
  const path = join(rig.directory, 'gone');
  await symlink(path, join(rig.directory, 'alias'));
  await rm(path);
  expect((await rig.run('alias')).ended).toMatchObject(refused('failed'));
  expect((await rig.run('gone')).ended).toMatchObject(refused('not-found'));
});

test('a socket without a listener is a failure', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(rig.directory, 'lives'), resolve));
  await rename(join(rig.directory, 'lives'), join(rig.directory, 'dead')); // or closing would remove it
  await new Promise((resolve) => server.close(resolve));
  expect((await rig.run('dead')).ended).toMatchObject(refused('failed'));
  expect(rig.reports.at(-1)).toContain('dead: ECONNREFUSED');
});

test('the end of input is passed on, and output can still follow', async () => {
  await rig.resident('count', (socket) => {
    let length = 0;
    socket.on('data', (chunk) => {
      length += chunk.length;
    });
    // The service answers long after the caller has ended its input.
    socket.on('end', () => setTimeout(() => socket.end(String(length)), 100));
  });
  expect((await rig.run('count', 'x'.repeat(200_000))).stdout).toBe('200015');
});

test('the end of output is passed on, and input can still follow', async () => {
  let got = '';
  await rig.resident('sink', (socket) => {
    socket.on('data', (chunk) => {
      got += chunk;
    });
    socket.end('ready');
  });
  const call = rig.call('sink');
  await until('stdout has ended', () => call.stdout.readableEnded);
  expect(call.said()).toBe('ready');
  call.stdin.end('more');
  expect(await call.ended).toEqual(exited(0));
  await until('the service has got the input', () => got.endsWith('more'));
});

test('a service that closes its connection ends the call while the input is still open', async () => {
  await rig.resident('brief', (socket) => {
    socket.once('data', () => socket.write('brief', () => socket.destroy()));
  });
  const call = rig.call('brief');
  expect(await call.ended).toEqual(exited(0));
  expect([call.said(), call.stdin.destroyed]).toEqual(['brief', true]);
});

test('a connection that breaks off is a failure of the service', async () => {
  await rig.resident('breaks', (socket) => {
    // Data that arrives meanwhile stays unread, so that closing resets the connection.
    socket.once('readable', () => setTimeout(() => socket.destroy(), 50));
  });
  const call = rig.call('breaks');
  call.stdin.write('x'.repeat(300_000));
  expect(await call.ended).toEqual(exited(125));
  expect(rig.reports.at(-1)).toMatch(/breaks: its connection broke off: .*(EPIPE|ECONNRESET)/);
});

test('a caller that closes stdout closes the connection', async () => {
  let connected: Socket | undefined;
  await rig.resident('talks', (socket) => {
    connected = socket;
    socket.write('x');
  });
  const call = rig.call('talks');
  const socket = await untilFound('the service is connected', () => connected);
  await until('the service writes', () => call.said() !== '');
  call.stdout.destroy();
  // The status equals that of a process that SIGPIPE has killed.
  expect(await call.ended).toEqual(exited(141));
  socket.write('y', () => socket.write('z'));
  await until('the connection is closed', () => socket.destroyed);
});

test('cancelling closes the connection', async () => {
  let connected: Socket | undefined;
  await rig.resident('waits', (socket) => {
    connected = socket.resume();
    socket.on('end', () => socket.destroy());
  });
  const call = rig.call('waits');
  const socket = await untilFound('the service is connected', () => connected);
  call.cancel();
  expect(await call.ended).toEqual(exited(143));
  await until('the connection is closed', () => socket.destroyed);
});

test('a timeout closes the connection', async () => {
  await rig.resident('silent', () => undefined);
  await rig.config('silent', 'idle-timeout = 0.2');
  expect(await rig.call('silent').ended).toEqual(exited(143));
  expect(rig.reports.at(-1)).toContain('silent: ended: no byte moved for 0.2 s');
});

test('exit-on-client-eof ends the call at the end of input, for services that do not close on it', async () => {
  let got = '';
  await rig.resident('endless', (socket) => {
    socket.on('data', (chunk) => {
      got += chunk;
    });
  });
  await rig.config('endless', 'exit-on-client-eof = true');
  expect((await rig.run('endless', 'x'.repeat(500_000))).ended).toEqual(exited(0));
  await until(
    'the service has got all input',
    () => got.length === 500_000 + 'endless+ work-vm\0'.length,
  );
});

test('exit-on-service-eof ends the call at the end of output, for callers that keep their input open', async () => {
  await rig.resident('answer', (socket) => {
    socket.resume().end('42');
  });
  await rig.config('answer', 'exit-on-service-eof = true');
  const call = rig.call('answer');
  expect(await call.ended).toEqual(exited(0));
  expect(call.said()).toBe('42');
});

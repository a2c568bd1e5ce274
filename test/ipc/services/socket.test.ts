/** Calls served by a resident service at a unix socket. */
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

test('the first bytes say what is called and who calls', async () => {
  await rig.resident('echo', echo);
  expect(await rig.run('echo+key1', 'input')).toEqual({
    ...{ ended: exited(0), stdout: 'echo+key1 work-vm\0input', stderr: '' },
  });
  expect((await rig.run('echo')).stdout).toBe('echo+ work-vm\0');
  await rig.config('echo', 'skip-service-descriptor = true');
  expect((await rig.run('echo+key1', 'input')).stdout).toBe('input');
});

test('what root links to is trusted, whoever owns it', async () => {
  await rig.resident('echo', echo);
  await symlink('echo', join(rig.directory, 'alias'));
  await chmod(join(rig.directory, 'echo'), 0o777);
  expect((await rig.run('alias')).stdout).toBe('alias+ work-vm\0');
});

test('a link to a socket that is gone is a failure, and not an absence', async () => {
  await rig.resident('gone', echo);
  const path = join(rig.directory, 'gone');
  await symlink(path, join(rig.directory, 'alias'));
  await rm(path);
  expect((await rig.run('alias')).ended).toMatchObject(refused('failed'));
  expect((await rig.run('gone')).ended).toMatchObject(refused('not-found'));
});

test('a socket that nobody listens at any more is a failure', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(join(rig.directory, 'lives'), resolve));
  await rename(join(rig.directory, 'lives'), join(rig.directory, 'dead')); // or closing would remove it
  await new Promise((resolve) => server.close(resolve));
  expect((await rig.run('dead')).ended).toMatchObject(refused('failed'));
  expect(rig.reports.at(-1)).toContain('dead: ECONNREFUSED');
});

test('the end of input is passed on, and output may still follow', async () => {
  await rig.resident('count', (socket) => {
    let length = 0;
    socket.on('data', (chunk) => {
      length += chunk.length;
    });
    // Not at once: the caller has said its end long since.
    socket.on('end', () => setTimeout(() => socket.end(String(length)), 100));
  });
  expect((await rig.run('count', 'x'.repeat(200_000))).stdout).toBe('200015');
});

test('the end of output is passed on, and input may still follow', async () => {
  let got = '';
  await rig.resident('sink', (socket) => {
    socket.on('data', (chunk) => {
      got += chunk;
    });
    socket.end('ready');
  });
  const call = rig.call('sink');
  await until('the end of output', () => call.stdout.readableEnded);
  expect(call.said()).toBe('ready');
  call.stdin.end('more');
  expect(await call.ended).toEqual(exited(0));
  await until('the input', () => got.endsWith('more'));
});

test('a service that has closed both ways ends the call, though the caller still could write', async () => {
  await rig.resident('brief', (socket) => {
    socket.once('data', () => socket.write('brief', () => socket.destroy()));
  });
  const call = rig.call('brief');
  expect(await call.ended).toEqual(exited(0));
  expect([call.said(), call.stdin.destroyed]).toEqual(['brief', true]);
});

test('a connection that breaks off is a failure of the service', async () => {
  await rig.resident('breaks', (socket) => {
    // With something unread, to close is a reset; so much comes in the meantime.
    socket.once('readable', () => setTimeout(() => socket.destroy(), 50));
  });
  const call = rig.call('breaks');
  call.stdin.write('x'.repeat(300_000));
  expect(await call.ended).toEqual(exited(125));
  expect(rig.reports.at(-1)).toMatch(/breaks: its connection broke off: .*(EPIPE|ECONNRESET)/);
});

test('a caller that reads no more closes the connection', async () => {
  let connected: Socket | undefined;
  await rig.resident('talks', (socket) => {
    connected = socket;
    socket.write('x');
  });
  const call = rig.call('talks');
  const socket = await untilFound('it is connected', () => connected);
  await until('it talks', () => call.said() !== '');
  call.stdout.destroy();
  // What SIGPIPE leaves of a process.
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
  const socket = await untilFound('it is connected', () => connected);
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

test('exit-on-client-eof: for services that wait for more than the end', async () => {
  let got = '';
  await rig.resident('endless', (socket) => {
    socket.on('data', (chunk) => {
      got += chunk;
    });
  });
  await rig.config('endless', 'exit-on-client-eof = true');
  expect((await rig.run('endless', 'x'.repeat(500_000))).ended).toEqual(exited(0));
  await until('all of the input', () => got.length === 500_000 + 'endless+ work-vm\0'.length);
});

test('exit-on-service-eof: for callers that do not end their input', async () => {
  await rig.resident('answer', (socket) => {
    socket.resume().end('42');
  });
  await rig.config('answer', 'exit-on-service-eof = true');
  const call = rig.call('answer');
  expect(await call.ended).toEqual(exited(0));
  expect(call.said()).toBe('42');
});

import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { loadNative } from '../../src/xen/native.ts';
import { netVm, startDomains } from './domains.ts';
import { runChild } from './run-child.ts';

test('vchans survive every kind of close, misuse, and the end of their worker', async () => {
  const { env } = await startDomains('xenstored');
  const options = { args: [`${netVm}`], env: env({ domid: netVm, hypercalls: true }) };
  expect(await runChild('vchan', options)).toEqual([]);
});

test('peerCredentials gives the pid, uid and gid of the process that has connected', async () => {
  const { peerCredentials } = loadNative();
  const name = `\0vifwatch-test-${process.pid}`;
  const server = createServer().listen(name);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const client = createConnection(name);
  const [socket]: Socket[] = await once(server, 'connection');
  const handle = socket && '_handle' in socket ? (socket._handle as { fd: number }) : { fd: -1 };
  const expected = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  expect(peerCredentials(handle.fd)).toEqual(expected);
  client.destroy();
  socket?.destroy();
  expect(() => peerCredentials(-1)).toThrow(expect.objectContaining({ code: 'EBADF' }));
});

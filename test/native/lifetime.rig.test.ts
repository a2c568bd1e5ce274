import { describe, expect, test } from 'vitest';
import { netVm, startDomains } from './domains.ts';
import { runChild } from './run-child.ts';

test('a connection can be closed twice, and then fails every request with EBADF', async () => {
  const { open } = await startDomains('xenstored');
  const xenstore = open(netVm);
  const pending = [xenstore.read('domid'), xenstore.list('data'), xenstore.tree('data')];
  xenstore.close();
  xenstore.close();
  for (const result of pending) await expect(result).rejects.toMatchObject({ code: 'EBADF' });
  const late: [string, Promise<unknown>][] = [
    ['read', xenstore.read('domid')],
    ['write', xenstore.write('data/a', '')],
    ['begin', xenstore.transaction(async () => {})],
  ];
  for (const [operation, result] of late) {
    await expect(result).rejects.toMatchObject({ code: 'EBADF', operation });
  }
});

test.each(['forget', 'close'])(
  'connections leave no thread or descriptor after %s',
  async (end) => {
    const { env } = await startDomains('xenstored');
    const { before, open, closed, after } = (await runChild('collected', {
      args: [end],
      env: env({ domid: netVm }),
    })) as Record<string, { threads: number; descriptors: number }>;
    // Each connection has a request thread and libxenstore's reader thread.
    expect(open?.threads).toBe((before?.threads ?? 0) + 40);
    expect(closed).toEqual(before);
    expect(after).toEqual(before);
  },
);

describe('a process with a connection', () => {
  const stopped = 'xenstore read domid: EBADF';
  test.each([
    ['no request is pending', ['2']],
    ['the watch has ended', ['data']],
    ['a watch is active', ['data', 'alive']],
    ['requests never get an answer', ['data', 'alive', 'alive', 'alive']],
    ['the connection is closed while requests wait', ['2', stopped, 'xenstore list data: EBADF']],
    ['a callback throws', ['thrown at data', 'thrown at data/x', '2']],
  ])('behaves as expected when %s', async (ending, seen) => {
    const { env, xenstored } = await startDomains('xenstored');
    const args = [ending, `${xenstored.pid}`];
    expect(await runChild('ends', { args, env: env({ domid: netVm }) })).toEqual(seen);
  });
});

test.each([
  ['watch', 5, 'data'],
  ['storm', 5, 'storm'],
  ['pending', 3, 'stop the store'],
])(
  'a worker that is terminated in its task "%s" leaves no thread or descriptor',
  async (task, rounds, said) => {
    const { env, xenstored } = await startDomains('xenstored');
    const args = [task, `${rounds}`, ...(task === 'pending' ? [`${xenstored.pid}`] : [])];
    const left = await runChild('worker-main', { args, env: env({ domid: netVm }) });
    const { before } = left as { before: object };
    expect(left).toEqual({ said: [said], before, after: before });
  },
);

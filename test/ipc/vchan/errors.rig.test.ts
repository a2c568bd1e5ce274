/** The errors of a vchan that cannot be opened. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { joinVchan, openVchanServer } from '../../../src/ipc/vchan/vchan.ts';
import { explain } from '../../../src/ipc/vchan/vchan-error.ts';
import { clientDomid, connectAnew, type Ends, serverDomid, startEnds } from './ends.ts';

let ends: Ends;
beforeAll(async () => {
  ends = await startEnds();
});
afterAll(() => ends.close());

test('without Xen, the error names the missing device and its module', () => {
  // This process is not under the simulated hypervisor.
  expect(() => openVchanServer(clientDomid)).toThrow(
    expect.objectContaining({
      code: 'VCHAN_DEVICE_MISSING',
      message: 'there is no /dev/xen/gntalloc: modprobe xen-gntalloc',
    }),
  );
  expect(() => joinVchan(serverDomid, 8, 1)).toThrow(
    expect.objectContaining({
      code: 'VCHAN_DEVICE_MISSING',
      message: 'there is no /dev/xen/evtchn: modprobe xen-evtchn',
    }),
  );
});

test('when grants run out, the error names the limit, and open vchans keep working', async () => {
  const { server } = ends;
  await connectAnew(ends);
  const { opened, error } = await server.call('exhaust', clientDomid);
  expect(opened).toBeGreaterThan(10);
  expect(error).toEqual({
    code: 'VCHAN_EXHAUSTED',
    message:
      'no grants are left (ENOSPC): raise /sys/module/xen_gntalloc/parameters/limit, or boot with xen_gntalloc.limit=8192',
  });
  const received = ends.client.call('read', 100);
  expect(await server.call('write', 100)).toEqual(await received);
});

test.each([
  [{ left: 0, right: 4096 }, '0'],
  [{ left: 4096, right: 1024 * 1024 + 1 }, '1048577'],
  [{ left: 4096.5, right: 4096 }, '4096.5'],
])('ring sizes %o are refused', (sizes, named) => {
  expect(() => openVchanServer(clientDomid, sizes)).toThrow(
    RangeError(`a vchan's ring has 1 to 1048576 bytes, not ${named}`),
  );
});

test('each failed step has its code', () => {
  expect(explain('open evtchn', 'EACCES')).toEqual([
    'VCHAN_FAILED',
    'cannot open /dev/xen/evtchn: EACCES',
  ]);
  expect(explain('offer port', 'ENOSPC')[0]).toBe('VCHAN_EXHAUSTED');
  expect(explain('join port', 'ENOSPC')[0]).toBe('VCHAN_EXHAUSTED');
  expect(explain('offer port', 'EINVAL')[0]).toBe('VCHAN_FAILED');
  expect(explain('map pages', 'EINVAL')[0]).toBe('VCHAN_REFUSED');
  expect(explain('check indices', 'EPROTO')[0]).toBe('VCHAN_CORRUPT');
});

test('a child process inherits no vchan descriptors', async () => {
  await connectAnew(ends);
  for (const end of [ends.server, ends.client]) {
    const { own, inherited } = await end.call('descriptors');
    expect(
      own.filter((name) => name.includes('/ev.') || name.endsWith('/mem')).length,
    ).toBeGreaterThan(1);
    expect(inherited).not.toMatch(/\/ev\.|\/mem/);
  }
});

test('closed and garbage-collected servers release their descriptors', async () => {
  const { server } = ends;
  const before = await server.call('residue');
  expect(await server.call('openAndForget', clientDomid)).toBeGreaterThan(before);
  await expect.poll(() => server.call('residue')).toBe(before);
});

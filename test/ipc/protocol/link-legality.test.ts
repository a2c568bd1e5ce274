/** Each frame before and after the hello, and malformed frames. */
import { describe, expect, test } from 'vitest';
import { linkFrames, names, stream, variants } from './legality.ts';
import { bytes, frameBytes, muxAndPeer, openPayload, vouchPayload } from './raw-peer.ts';

describe('the link itself', () => {
  test.concurrent.each(names)('%s before the hello is legal only for a hello', async (variant) => {
    const { mux, peer } = await muxAndPeer('server', false);
    const [name, payload] = variants[variant];
    peer.send(name, linkFrames.includes(variant) ? 0 : stream, payload);
    if (variant === 'hello') expect(await peer.verdict()).toBe('legal');
    else expect(await mux.closed).toMatchObject({ kind: 'us', code: 'hello' });
  });

  test.concurrent.each(names)(
    '%s on stream 0 after the hello gets its verdict',
    async (variant) => {
      const { mux, peer } = await muxAndPeer('server');
      const [name, payload] = variants[variant];
      peer.send(name, 0, payload);
      if (variant === 'goodbye') {
        expect(await mux.closed).toMatchObject({ kind: 'peer', code: 'shutdown' });
        return;
      }
      const illegal = variant === 'hello' || variant === 'pong' ? 'state' : 'stream-id';
      // Two pings at a time are illegal, so this one is answered before the verdict sends its own.
      if (variant === 'ping') await peer.frame('pong');
      expect(await peer.verdict()).toBe(variant === 'ping' ? 'legal' : illegal);
    },
  );

  const edited = (frame: Buffer, at: number, ...values: number[]): Buffer => {
    frame.set(values, at);
    return frame;
  };
  const beginning =
    (name: 'open' | 'vouch') =>
    (...payload: (number | string)[]): Buffer =>
      frameBytes(
        name,
        1,
        Buffer.concat(
          payload.map((part) => (typeof part === 'number' ? bytes(part) : Buffer.from(part))),
        ),
      );
  const opening = beginning('open');
  const vouching = beginning('vouch');
  test.concurrent.each([
    ['type', edited(frameBytes('ping', 0, Buffer.alloc(8)), 0, 0)],
    ['type', edited(frameBytes('ping', 0, Buffer.alloc(8)), 0, 5)],
    ['type', edited(frameBytes('ping', 0, Buffer.alloc(8)), 0, 255)],
    ['flags', edited(frameBytes('ping', 0, Buffer.alloc(8)), 1, 128)],
    ['length', frameBytes('ping', 0, Buffer.alloc(7))],
    ['length', frameBytes('ping', 0, Buffer.alloc(9))],
    ['length', edited(frameBytes('stdin', 1), 2, 0xf9, 0x3f)],
    ['length', edited(frameBytes('stdin', 1), 2, 0xff, 0xff)],
    ['length', frameBytes('cancel', 1, bytes(0))],
    ['length', frameBytes('exit', 1)],
    ['length', frameBytes('goodbye', 0)],
    ['length', frameBytes('open', 1, Buffer.alloc(321))],
    ['stream-id', frameBytes('open', 2, openPayload)],
    [
      'stream-id',
      Buffer.concat([frameBytes('open', 5, openPayload), frameBytes('open', 3, openPayload)]),
    ],
    ['payload', opening(0, 0, 0, 0)],
    ['payload', opening(0, 3, 'a/b', 0)],
    ['payload', opening(0, 3, 'a\0b', 0)],
    ['payload', opening(0, 2, '\u{e9}', 0)],
    ['payload', opening(1, ' ', 1, 'a', 0)],
    ['payload', opening(0, 1, 'a', 1, '/')],
    ['payload', opening(0, 1, 'a', 9, 'short')],
    ['payload', opening(255, 'aaa')],
    ['payload', opening(0, 1, 'a', 0, 'more')],
    ['payload', opening(0, 64, 'a'.repeat(64), 0)],
    ['length', frameBytes('vouch', 1, bytes(1, 97, 1, 97))],
    ['length', frameBytes('vouch', 1, Buffer.alloc(321))],
    ['stream-id', frameBytes('vouch', 2, vouchPayload)],
    ['stream-id', frameBytes('vouch', 0, vouchPayload)],
    ['payload', vouching(0, 2, 'aa', 0)],
    ['payload', vouching(1, '@', 1, 'a', 0)],
    ['payload', vouching(1, 'a', 0, 1, 'a')],
    ['payload', vouching(1, 'a', 1, 'a', 0, 'more')],
  ] as const)('the link is closed with %s: %o', async (code, frame) => {
    const { mux, peer } = await muxAndPeer('server');
    peer.transport.write(frame);
    expect(await peer.verdict()).toBe(code);
    expect(await mux.closed).toMatchObject({ kind: 'us', code });
  });

  test.concurrent.each([
    [1, 'VFWI\x01\0\x01\0\0', 'type'],
    [2, 'VFWI\x01\0\x02\0\0', 'legal'],
    [2, 'VFWI\x02\0\x07\0\0', 'legal'],
  ])('in version %i (hello %j) the verdict on a vouch is %s', async (version, hello, verdict) => {
    const { mux, peer } = await muxAndPeer('server', false);
    peer.send('hello', 0, Buffer.from(hello, 'latin1'));
    await mux.ready;
    expect(mux.version()).toBe(version);
    peer.send('vouch', 1, vouchPayload);
    expect(await peer.verdict()).toBe(verdict);
  });

  test('a vouched call over a link of version 1 is refused as unreachable', async () => {
    const { mux, peer } = await muxAndPeer('server', false);
    const vouched = { target: '', service: 'echo', argument: '', source: 'workload-vm' };
    const early = mux.open(vouched);
    peer.send('hello', 0, Buffer.from('VFWI\x01\0\x01\0\0', 'latin1'));
    await mux.ready;
    for (const call of [early, mux.open(vouched)]) {
      expect(await call.outcome).toMatchObject({ refusal: { code: 'unreachable' } });
    }
    // Calls without a source still work.
    mux.open({ target: '', service: 'echo', argument: '' });
    expect((await peer.frame('open')).stream).toBe(2);
    expect(peer.seen.map(({ name }) => name)).not.toContain('vouch');
  });

  test.concurrent.each([
    ['hello', 'VFWX\x01\0\x01\0\0'],
    ['hello', 'VFWI\x01\0\x01\0\0more'],
    ['payload', 'VFWI\x01\0\x01\0\x02a'],
    ['payload', 'VFWI\x01\0\x01\0\x01\x1b'],
    ['version', 'VFWI\x03\0\x09\0\0'],
    ['version', 'VFWI\x02\0\x01\0\0'],
    ['version', 'VFWI\0\0\0\0\0'],
  ])('the link is closed with %s: hello %j', async (code, payload) => {
    const { mux, peer } = await muxAndPeer('server', false);
    peer.send('hello', 0, Buffer.from(payload, 'latin1'));
    expect(await mux.closed).toMatchObject({ kind: 'us', code });
    await expect(mux.ready).rejects.toThrow(code);
  });
});

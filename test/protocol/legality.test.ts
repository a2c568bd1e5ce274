/** Every frame in every state of a stream, at either end: legal, or the code with which the link is closed. */
import { describe, expect, test } from 'vitest';
import type { FrameName } from '../../src/protocol/frame.ts';
import {
  bytes,
  creditOf,
  echoRequest,
  frameBytes,
  muxAndPeer,
  openPayload,
  type RawPeer,
} from './raw-peer.ts';

const stream = 1;

const variants = {
  hello: ['hello', Buffer.from('VFWI\x01\0\x01\0\0')],
  ping: ['ping', Buffer.alloc(8)],
  pong: ['pong', Buffer.alloc(8)],
  goodbye: ['goodbye', bytes(1)],
  open: ['open', openPayload],
  refuse: ['refuse', bytes(1)],
  stdin: ['stdin', bytes(7)],
  stdinEnd: ['stdin', bytes()],
  stdout: ['stdout', bytes(7)],
  stdoutEnd: ['stdout', bytes()],
  stderr: ['stderr', bytes(7)],
  stderrEnd: ['stderr', bytes()],
  creditStdin: ['credit', creditOf(0, 1)],
  creditStdout: ['credit', creditOf(1, 1)],
  creditStderr: ['credit', creditOf(2, 1)],
  stopStdin: ['stop', bytes(0)],
  stopStdout: ['stop', bytes(1)],
  stopStderr: ['stop', bytes(2)],
  cancel: ['cancel', bytes()],
  release: ['release', bytes()],
  exit: ['exit', bytes(0)],
} as const satisfies Record<string, readonly [FrameName, Buffer]>;

type Variant = keyof typeof variants;

const names = Object.keys(variants) as Variant[];

const say = (peer: RawPeer, ...said: Variant[]): void => {
  for (const name of said) peer.send(variants[name][0], stream, variants[name][1]);
};

const linkFrames: readonly Variant[] = ['hello', 'ping', 'pong', 'goodbye'];

type Expected = {
  /** What is legal. */
  readonly legal: readonly Variant[];
  /** What is illegal for its direction; the rest is so for the state. */
  readonly direction: readonly Variant[];
};

const expected = (variant: Variant, { legal, direction }: Expected): string => {
  if (legal.includes(variant)) return 'legal';
  if (linkFrames.includes(variant)) return 'stream-id';
  return direction.includes(variant) ? 'direction' : 'state';
};

const outputs = ['stdout', 'stdoutEnd', 'stderr', 'stderrEnd'] as const;
const stdin = ['stdin', 'stdinEnd'] as const;
const aboutStdout = ['creditStdout', 'stopStdout'] as const;
const aboutStderr = ['creditStderr', 'stopStderr'] as const;
const aboutStdin = ['creditStdin', 'stopStdin'] as const;

describe('a stream at its target', () => {
  const targetsOwn = ['refuse', ...outputs, 'exit'] as const;
  const wrong = [...targetsOwn, ...aboutStdin];
  const open = [...stdin, ...aboutStdout, ...aboutStderr, 'cancel'] as const;
  const states: Record<string, Expected & { said: Variant[]; ends?: boolean; after?: Variant[] }> =
    {
      unopened: { said: [], legal: ['open'], direction: [] },
      open: { said: ['open'], legal: open, direction: wrong },
      'open, in use': { said: ['open', 'stdin', 'creditStdout'], legal: open, direction: wrong },
      'open, stdin ended': {
        said: ['open', 'stdinEnd'],
        legal: open.filter((name) => name !== 'stdin' && name !== 'stdinEnd'),
        direction: wrong,
      },
      'open, stdout stopped': {
        said: ['open', 'stopStdout'],
        legal: [...stdin, ...aboutStderr, 'cancel'],
        direction: wrong,
      },
      'open, stderr stopped': {
        said: ['open', 'stopStderr'],
        legal: [...stdin, ...aboutStdout, 'cancel'],
        direction: wrong,
      },
      cancelled: { said: ['open', 'cancel'], legal: [], direction: targetsOwn },
      ended: { said: ['open'], ends: true, legal: [...open, 'release'], direction: wrong },
      'ended after stdin and stdout': {
        said: ['open', 'stdinEnd', 'stopStdout'],
        ends: true,
        legal: [...aboutStderr, 'cancel', 'release'],
        direction: wrong,
      },
      'cancelled, then ended': {
        said: ['open', 'cancel'],
        ends: true,
        legal: ['release'],
        direction: targetsOwn,
      },
      'ended, then cancelled': {
        said: ['open'],
        ends: true,
        after: ['cancel'],
        legal: ['release'],
        direction: targetsOwn,
      },
      released: {
        said: ['open'],
        ends: true,
        after: ['release'],
        legal: [],
        direction: [],
      },
    };
  const cases = Object.entries(states).flatMap(([state, { said, ends, after = [], ...rest }]) =>
    names.map((variant) => ({ state, variant, said, ends, after, rest })),
  );
  test.concurrent.each(cases)('$state: $variant', async ({ variant, said, ends, after, rest }) => {
    const { peer, call } = await muxAndPeer('server');
    say(peer, ...said);
    if (ends) {
      (await call()).exit(3);
      await peer.frame('exit');
    }
    say(peer, ...after, variant);
    const known = said.includes('open');
    const again = variant === 'open' && known ? 'stream-id' : expected(variant, rest);
    expect(await peer.verdict()).toBe(again);
  });
  test.concurrent.each(names)('refused: %s', async (variant) => {
    const { peer, call } = await muxAndPeer('server');
    say(peer, 'open');
    (await call()).refuse({ code: 'denied', text: 'no' });
    await peer.frame('refuse');
    say(peer, variant);
    const again = expected(variant, { legal: [...open, 'release'], direction: wrong });
    expect(await peer.verdict()).toBe(variant === 'open' ? 'stream-id' : again);
  });
});

describe('a stream at its caller', () => {
  const callersOwn = [...stdin, 'cancel', 'release'] as const;
  const wrong = [...callersOwn, ...aboutStdout, ...aboutStderr];
  const ends: Variant[] = ['stdoutEnd', 'stderrEnd'];
  const states: Record<string, Expected & { opened: boolean; cancels?: boolean; said: Variant[] }> =
    {
      unopened: { opened: false, said: [], legal: [], direction: [] },
      opened: {
        opened: true,
        said: [],
        legal: [...outputs, ...aboutStdin, 'refuse'],
        direction: wrong,
      },
      answered: {
        opened: true,
        said: ['stdout'],
        legal: [...outputs, ...aboutStdin],
        direction: wrong,
      },
      'stdin stopped': {
        opened: true,
        said: ['stopStdin'],
        legal: [...outputs, 'refuse'],
        direction: wrong,
      },
      'stdout ended': {
        opened: true,
        said: ['stdoutEnd'],
        legal: ['stderr', 'stderrEnd', ...aboutStdin],
        direction: wrong,
      },
      'outputs ended': {
        opened: true,
        said: ends,
        legal: [...aboutStdin, 'exit'],
        direction: wrong,
      },
      cancelled: {
        opened: true,
        cancels: true,
        said: [],
        legal: [...outputs, ...aboutStdin, 'refuse', 'exit'],
        direction: wrong,
      },
      'cancelled, answered': {
        opened: true,
        cancels: true,
        said: ['stderr'],
        legal: [...outputs, ...aboutStdin, 'exit'],
        direction: wrong,
      },
      ended: { opened: true, said: [...ends, 'exit'], legal: [], direction: [] },
      refused: { opened: true, said: ['refuse'], legal: [], direction: [] },
    };
  const cases = Object.entries(states).flatMap(([state, { opened, cancels, said, ...rest }]) =>
    names.map((variant) => ({ state, variant, opened, cancels, said, rest })),
  );
  test.concurrent.each(cases)('$state: $variant', async (given) => {
    const { mux, peer } = await muxAndPeer('client');
    const call = given.opened ? mux.open(echoRequest) : undefined;
    if (call !== undefined) {
      await peer.frame('open');
      if (given.cancels) {
        call.cancel();
        await peer.frame('cancel');
      }
    }
    say(peer, ...given.said, given.variant);
    const verdict = given.variant === 'open' ? 'stream-id' : expected(given.variant, given.rest);
    expect(await peer.verdict()).toBe(verdict);
    // Whoever waits for the call hears of it.
    if (verdict !== 'legal') await call?.outcome;
  });
});

describe('the link itself', () => {
  test.concurrent.each(names)('%s before the hello', async (variant) => {
    const { mux, peer } = await muxAndPeer('server', false);
    const [name, payload] = variants[variant];
    peer.send(name, linkFrames.includes(variant) ? 0 : stream, payload);
    if (variant === 'hello') expect(await peer.verdict()).toBe('legal');
    else expect(await mux.closed).toMatchObject({ by: 'us', code: 'hello' });
  });

  test.concurrent.each(names)('%s on stream 0 after the hello', async (variant) => {
    const { mux, peer } = await muxAndPeer('server');
    const [name, payload] = variants[variant];
    peer.send(name, 0, payload);
    if (variant === 'goodbye') {
      expect(await mux.closed).toMatchObject({ by: 'peer', code: 'shutdown' });
      return;
    }
    const illegal = variant === 'hello' || variant === 'pong' ? 'state' : 'stream-id';
    // A ping is answered: the verdict's own would be the second.
    if (variant === 'ping') await peer.frame('pong');
    expect(await peer.verdict()).toBe(variant === 'ping' ? 'legal' : illegal);
  });

  const edited = (frame: Buffer, at: number, ...values: number[]): Buffer => {
    frame.set(values, at);
    return frame;
  };
  const opening = (...payload: (number | string)[]): Buffer =>
    frameBytes(
      'open',
      1,
      Buffer.concat(
        payload.map((part) => (typeof part === 'number' ? bytes(part) : Buffer.from(part))),
      ),
    );
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
  ] as const)('%s: %o', async (code, frame) => {
    const { mux, peer } = await muxAndPeer('server');
    peer.transport.write(frame);
    expect(await peer.verdict()).toBe(code);
    expect(await mux.closed).toMatchObject({ by: 'us', code });
  });

  test.concurrent.each([
    ['hello', 'VFWX\x01\0\x01\0\0'],
    ['hello', 'VFWI\x01\0\x01\0\0more'],
    ['payload', 'VFWI\x01\0\x01\0\x02a'],
    ['payload', 'VFWI\x01\0\x01\0\x01\x1b'],
    ['version', 'VFWI\x02\0\x09\0\0'],
    ['version', 'VFWI\0\0\0\0\0'],
  ])('%s: %j', async (code, payload) => {
    const { mux, peer } = await muxAndPeer('server', false);
    peer.send('hello', 0, Buffer.from(payload, 'latin1'));
    expect(await mux.closed).toMatchObject({ by: 'us', code });
    await expect(mux.ready).rejects.toThrow(code);
  });
});

/** Whatever bytes come: no crash, no error that nobody hears, and a link that is closed or alive. */
import { Duplex } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeCodes } from '../../src/protocol/close-reason.ts';
import { createDecoder, type FrameName, frames } from '../../src/protocol/frame.ts';
import { encodeHello, readGoodbye } from '../../src/protocol/hello.ts';
import { type Mux, openMux } from '../../src/protocol/mux.ts';
import { encodeRequest } from '../../src/protocol/request.ts';
import { bytes, creditOf, done, frameBytes } from './raw-peer.ts';

const runs = Number(process.env['VIFWATCH_FUZZ'] ?? 20_000);

const unheard: unknown[] = [];
const note = (error: unknown): void => {
  unheard.push(error);
};
beforeAll(() => {
  process.on('uncaughtException', note).on('unhandledRejection', note);
});
afterAll(() => {
  process.off('uncaughtException', note).off('unhandledRejection', note);
});

/** A mux that has been greeted and has some calls of both directions in different states. */
const busyMux = (
  role: 'server' | 'client',
): { mux: Mux; feed: (chunk: Buffer) => void; said: () => Buffer[] } => {
  const said: Buffer[] = [];
  const transport = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, callback) => {
      said.push(chunk);
      callback();
    },
  });
  let turn = 0;
  const mux = openMux(transport, {
    role,
    name: 'fuzzed',
    onCall: (call) => {
      turn += 1;
      if (turn % 4 === 0) call.refuse({ code: 'denied', text: 'no' });
      if (turn % 4 === 1) call.stdin.on('end', () => call.exit(0)).pipe(call.stdout);
      if (turn % 4 === 2) call.exit(turn % 256);
    },
  });
  for (let index = 0; index < 3; index += 1) {
    const call = mux.open({ target: '', service: 'any', argument: '' });
    call.stdout.resume();
    call.stdin.end('input');
    if (index === 2) call.cancel();
  }
  return { mux, feed: (chunk) => transport.push(chunk), said: () => said };
};

const names = Object.keys(frames) as FrameName[];
const opening = encodeRequest({ target: '', service: 'any', argument: 'x' });

/** Mostly legal, so that runs get deep. */
const plausible = fc
  .record({
    name: fc.constantFrom(...names, 'open', 'open', 'stdin', 'stdout', 'credit'),
    stream: fc.nat(7),
    seed: fc.nat(255),
  })
  .map(({ name, stream, seed }) => {
    const { link, min, max } = frames[name];
    const payload =
      name === 'open'
        ? opening
        : name === 'credit'
          ? creditOf(seed % 3, seed)
          : name === 'stop'
            ? bytes(seed % 3)
            : Buffer.alloc(min + (seed % (Math.min(max, 600) - min + 1)), seed);
    return frameBytes(name, link ? 0 : stream + 1, payload);
  });

const mutated = fc
  .tuple(
    fc.array(plausible, { minLength: 1, maxLength: 20 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
  )
  .map(([traffic, edits]) => {
    const whole = Buffer.concat(traffic);
    for (const [at, value] of edits) whole[at % whole.length] = value;
    return whole;
  });

const noise = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((values) => Buffer.from(values));

const input = fc.record({
  greets: fc.boolean().chain((often) => (often ? fc.constant(true) : fc.boolean())),
  role: fc.constantFrom('server' as const, 'client' as const),
  chunks: fc.array(fc.oneof({ weight: 4, arbitrary: mutated }, { weight: 1, arbitrary: noise }), {
    minLength: 1,
    maxLength: 4,
  }),
});

test(`${runs} inputs`, async () => {
  const codes = new Set<string>();
  await fc.assert(
    fc.asyncProperty(input, async ({ greets, role, chunks }) => {
      const { mux, feed, said } = busyMux(role);
      if (greets) feed(frameBytes('hello', 0, encodeHello('fuzz')));
      for (const chunk of chunks) {
        feed(chunk);
        await Promise.resolve();
      }
      mux.close(done);
      const { code } = await mux.closed;
      codes.add(code);
      // What we said is legal to the last byte, and ends with the goodbye that gives the code.
      let goodbye: string | undefined;
      const decode = createDecoder((name, _stream, payload) => {
        expect(goodbye).toBeUndefined();
        if (name === 'goodbye') goodbye = readGoodbye(payload).code;
      });
      for (const chunk of said()) decode(chunk);
      if (goodbye !== undefined) expect(goodbye).toBe(code);
      expect(mux.statistics().streams).toBe(0);
    }),
    { numRuns: runs },
  );
  expect(unheard).toEqual([]);
  // Of those that bytes alone can bring about, none was out of reach.
  const reachable = closeCodes.filter(
    (code) => !['identity', 'hung', 'version', 'streams', 'exhausted'].includes(code),
  );
  expect([...codes]).toEqual(expect.arrayContaining(reachable));
}, 3_600_000);

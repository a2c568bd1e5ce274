/** For any bytes the mux does not crash, handles every error, and leaves the link closed or alive. */
import { Duplex } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { closeCodes } from '../../../src/ipc/protocol/close-reason.ts';
import { createDecoder, type FrameName, frames } from '../../../src/ipc/protocol/frame.ts';
import { encodeHello, readGoodbye } from '../../../src/ipc/protocol/hello.ts';
import { openMux } from '../../../src/ipc/protocol/mux.ts';
import { encodeRequest } from '../../../src/ipc/protocol/request.ts';
import { printFigures } from '../../support/figures.ts';
import { bytes, creditOf, done, frameBytes } from './raw-peer.ts';

/** Number of inputs; `npm run nightly` asks for a million. */
const runs = Number(process.env['VIFWATCH_FUZZ'] ?? 5_000);
/** The first seed. It is fixed by default, so that `npm test` gives the same result each time. */
const firstSeed = Number(process.env['VIFWATCH_SEED'] ?? 0);

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

/** A mux with two calls of its own; it answers incoming calls in four different ways. */
const busyMux = (role: 'server' | 'client') => {
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
  const outcomes = [0, 1].map((index) => {
    const call = mux.open({ target: '', service: 'any', argument: '' });
    call.stdout.resume();
    call.stdin.end('input');
    if (index === 1) call.cancel();
    return call.outcome;
  });
  return { mux, outcomes, said, feed: (chunk: Buffer) => transport.emit('data', chunk) };
};

/**
 * Gives pseudo-random numbers below a limit (mulberry32). The seed determines the input; a failure names it.
 */
const randomOf = (seed: number): ((limit: number) => number) => {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
};

const opening = encodeRequest({ target: '', service: 'any', argument: 'x' });
const vouching = encodeRequest({ target: '', service: 'any', argument: 'x', source: 'a' });
const likely: readonly FrameName[] = ['open', 'open', 'vouch', 'stdin', 'stdout', 'credit', 'ping'];
const names: readonly FrameName[] = [...(Object.keys(frames) as FrameName[]), ...likely];

/** A frame that is well-formed, and legal in some states. */
const plausible = (random: (limit: number) => number): Buffer => {
  const name = names[random(names.length)] ?? 'open';
  const { link, min, max } = frames[name];
  const filled = () => Buffer.alloc(min + random(Math.min(max, 600) - min + 1), random(256));
  const payloads: Partial<Record<FrameName, () => Buffer>> = {
    open: () => opening,
    vouch: () => vouching,
    credit: () => creditOf(random(3), random(300)),
    stop: () => bytes(random(3)),
  };
  const payload = random(50) === 0 ? Buffer.alloc(max) : (payloads[name] ?? filled)();
  return frameBytes(name, link ? 0 : random(8) + 1, payload);
};

/** Frames with up to two wrong bytes; one chunk in eight is pure noise. */
const chunkOf = (random: (limit: number) => number): Buffer => {
  if (random(8) === 0)
    return Buffer.from(Array.from({ length: 1 + random(60) }, () => random(256)));
  const whole = Buffer.concat(Array.from({ length: 1 + random(12) }, () => plausible(random)));
  for (let edits = random(4); edits > 1; edits -= 1) whole[random(whole.length)] = random(256);
  return whole;
};

/** Feeds the input of `seed` to a mux; gives the code with which the link was closed. */
const run = async (seed: number): Promise<string> => {
  const random = randomOf(seed);
  const { mux, outcomes, said, feed } = busyMux(random(2) === 0 ? 'server' : 'client');
  if (random(10) > 0) feed(frameBytes('hello', 0, encodeHello('fuzz')));
  for (let chunks = 1 + random(4); chunks > 0; chunks -= 1) {
    feed(chunkOf(random));
    // Lets the mux answer between the chunks.
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }
  mux.close(done);
  const { kind, code } = await mux.closed;
  expect(mux.statistics().streams).toBe(0);
  // Every call has an outcome, for any input.
  await Promise.all(outcomes);
  // The mux's own output is legal to the last byte, and ends with a goodbye if the mux closed the link.
  let goodbye: string | undefined;
  const decode = createDecoder((name, _stream, payload) => {
    if (goodbye !== undefined) throw new Error(`${name} after the goodbye`);
    if (name === 'goodbye') goodbye = readGoodbye(payload).code;
  });
  for (const chunk of said) decode(chunk);
  expect(goodbye).toBe(kind === 'us' ? code : undefined);
  return code;
};

const codes = new Set<string>();
let inputs = 0;

// Each batch is a test of its own, so that no test runs long for any number of inputs.
const batch = 5_000;
const batches = Array.from({ length: Math.ceil(runs / batch) }, (_, index) => index * batch);
test.each(batches)('the mux survives the inputs from number %i on', async (first) => {
  for (let at = first; at < Math.min(first + batch, runs); at += 1) {
    const seed = firstSeed + at;
    const code = await run(seed).catch((cause: unknown) => {
      throw new Error(`seed ${seed}`, { cause });
    });
    codes.add(code);
    inputs += 1;
    if (unheard.length > 0) throw new Error(`seed ${seed} or just before`, { cause: unheard[0] });
  }
});

test('no error stays unhandled, and every close code that bytes alone can cause occurs', async () => {
  await setImmediate();
  expect(unheard).toEqual([]);
  const unreachable = ['identity', 'hung', 'version', 'streams', 'exhausted'];
  const reachable = closeCodes.filter((code) => !unreachable.includes(code));
  expect([...codes]).toEqual(expect.arrayContaining(reachable));
  printFigures({ inputs, closeCodes: codes.size, seed: firstSeed });
});

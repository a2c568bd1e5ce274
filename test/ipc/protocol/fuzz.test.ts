/** Whatever bytes come: no crash, no error that nobody hears, and a link that is closed or alive. */
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

/** `npm run nightly` asks for a million. */
const runs = Number(process.env['VIFWATCH_FUZZ'] ?? 5_000);
/** Always the same inputs unless others are asked for, so that `npm test` gives the same answer each time. */
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

/** A mux that has been greeted and has some calls of both directions in different states. */
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

/** A pseudo-random number below the limit (mulberry32): an input is its seed, and a failure names it. */
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

/** A frame that is well-formed, and legal in some state. */
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

/** Traffic with a few wrong bytes, or none; one time in eight nothing but noise. */
const chunkOf = (random: (limit: number) => number): Buffer => {
  if (random(8) === 0)
    return Buffer.from(Array.from({ length: 1 + random(60) }, () => random(256)));
  const whole = Buffer.concat(Array.from({ length: 1 + random(12) }, () => plausible(random)));
  for (let edits = random(4); edits > 1; edits -= 1) whole[random(whole.length)] = random(256);
  return whole;
};

/** The code with which the link was closed. */
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
  // Whatever came: who waits for a call hears of its end.
  await Promise.all(outcomes);
  // What we said is legal to the last byte, and ends with a goodbye if the end was ours.
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

// A test for so many, that none of them takes long however many there are.
const batch = 5_000;
const batches = Array.from({ length: Math.ceil(runs / batch) }, (_, index) => index * batch);
test.each(batches)('inputs from number %i on', async (first) => {
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

test('no error goes unheard, and all codes that bytes alone can bring about come', async () => {
  await setImmediate();
  expect(unheard).toEqual([]);
  const unreachable = ['identity', 'hung', 'version', 'streams', 'exhausted'];
  const reachable = closeCodes.filter((code) => !unreachable.includes(code));
  expect([...codes]).toEqual(expect.arrayContaining(reachable));
  printFigures({ inputs, closeCodes: codes.size, seed: firstSeed });
});

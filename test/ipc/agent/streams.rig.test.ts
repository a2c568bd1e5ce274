/** Many calls share one link: no byte is lost, and no call blocks another. */

import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import { printFigures } from '../../support/figures.ts';
import { ask, linkTo, listenEcho, makePair, startHost } from './vms.ts';

const startPair = async (): Promise<Mux> => {
  const host = await startHost();
  const { server, client } = await makePair(host, {
    serviceConfigs: { echo: 'skip-service-descriptor = true\n' },
  });
  await listenEcho(server);
  await Promise.all([server.start(), client.start()]);
  return await linkTo(client);
};

const echo = { target: 'sa-vm', service: 'echo', argument: '' };

const digest = (bytes: Buffer): string => createHash('sha1').update(bytes).digest('hex');

test('1000 calls at once over one link are all byte-exact', async () => {
  const mux = await startPair();
  const block = randomBytes(1 << 16);
  const calls = Array.from({ length: 1000 }, (_, index) => {
    const call = mux.open(echo);
    const input = block.subarray(index, index + 1 + ((index * 7919) % 60_000));
    return { call, input };
  });
  // All calls are open before the first one sends its input.
  await Promise.all(calls.map(({ call }) => new Promise((sent) => call.stdin.write('>', sent))));
  const outputs = calls.map(async ({ call, input }) => {
    call.stdin.end(input);
    const [output, outcome] = await Promise.all([buffer(call.stdout), call.outcome]);
    const isWhole = digest(output) === digest(Buffer.concat([Buffer.from('>'), input]));
    return { outcome, isWhole };
  });
  const whole = { outcome: { kind: 'exited', status: 0 }, isWhole: true };
  expect(await Promise.all(outputs)).toEqual(Array(1000).fill(whole));
});

/** Number of calls; `npm run nightly` asks for 10 000. */
const shortCalls = Number(process.env['VIFWATCH_CALLS'] ?? 3_000);
const concurrency = 32;

test('calls that write and close at once lose no byte', async () => {
  const mux = await startPair();
  const block = randomBytes(1 << 16);
  let next = 0;
  const wrong: unknown[] = [];
  const callRepeatedly = async (): Promise<void> => {
    while (next < shortCalls) {
      next += 1;
      // Most calls are short.
      const length = Math.floor(block.length * Math.random() ** 4);
      const { outcome, stdout } = await ask(mux, echo, block.subarray(0, length));
      if (
        outcome.kind !== 'exited' ||
        outcome.status !== 0 ||
        !stdout.equals(block.subarray(0, length))
      )
        wrong.push({ outcome, length, got: stdout.length });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, callRepeatedly));
  expect(wrong).toEqual([]);
  printFigures({ calls: next });
});

/** Measures round trips through a peer that returns its input. */
import type { Readable, Writable } from 'node:stream';
import { median } from '../metric.ts';

const message = Buffer.alloc(64, 'x');

/** Round trips before the measurement, enough for the JIT compiler to finish. */
const warmUp = 2_000;

/** Resolves with the median of `count` round trips, in microseconds. */
export const roundTrips = (to: Writable, from: Readable, count: number): Promise<number> =>
  new Promise((resolve) => {
    const times: number[] = [];
    let returned = 0;
    let start = 0;
    const send = (): void => {
      returned = 0;
      start = performance.now();
      to.write(message);
    };
    from.on('data', ({ length }: Buffer) => {
      returned += length;
      if (returned < message.length) return;
      times.push((performance.now() - start) * 1000);
      if (times.length < warmUp + count) send();
      else resolve(median(times.slice(warmUp)));
    });
    send();
  });

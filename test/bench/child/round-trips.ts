/** Round trips over whatever returns what it is given. */
import type { Readable, Writable } from 'node:stream';
import { median } from '../metric.ts';

const message = Buffer.alloc(64, 'x');

/** As many as it takes for the compiler to have done its work. */
const warmUp = 2_000;

/** The median, in microseconds. */
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

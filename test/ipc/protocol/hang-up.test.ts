import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { goodbyeMs } from '../../../src/ipc/protocol/limits.ts';
import { hangUp } from '../../../src/ipc/protocol/link.ts';
import { createFakeClock } from '../../support/fake-clock.ts';

/** A transport whose peer reads nothing. */
const deaf = (): Duplex => new Duplex({ read: () => {}, write: () => {} });

test('a rough end destroys the transport and leaves no timer', async () => {
  const clock = createFakeClock();
  const transport = deaf();
  await hangUp(transport, false, clock);
  expect([transport.closed, clock.pending()]).toEqual([true, 0]);
});

test('a gentle end waits until the data has gone out', async () => {
  const clock = createFakeClock();
  let written: () => void = () => {};
  const transport = new Duplex({
    read: () => {},
    write: (_chunk, _encoding, done) => {
      written = done;
    },
  });
  transport.write('goodbye');
  const over = hangUp(transport, true, clock);
  expect(transport.destroyed).toBe(false);
  written();
  await over;
  expect([transport.destroyed, clock.pending()]).toEqual([true, 0]);
});

test('a gentle end waits at most for the time limit', async () => {
  const clock = createFakeClock();
  const transport = deaf();
  transport.write('goodbye');
  const over = hangUp(transport, true, clock);
  clock.advance(goodbyeMs - 1);
  expect(transport.destroyed).toBe(false);
  clock.advance(1);
  expect(transport.destroyed).toBe(true);
  await over;
});

test('a closed transport needs no time', async () => {
  const clock = createFakeClock();
  const transport = deaf().destroy();
  await new Promise((resolve) => transport.once('close', resolve));
  await hangUp(transport, true, clock);
  expect(clock.pending()).toBe(0);
});

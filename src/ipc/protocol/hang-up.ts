/** Closes a transport and frees all its resources. */
import type { Duplex } from 'node:stream';
import type { Clock } from '../../system/clock.ts';
import { goodbyeMs } from './limits.ts';

/**
 * Resolves when the transport is closed, which takes at most `goodbyeMs`.
 * @param gently lets the written data go out first
 */
export const hangUp = (transport: Duplex, gently: boolean, clock: Clock): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      resolve();
    };
    const timer = clock.after(goodbyeMs, () => {
      transport.destroy();
      done();
    });
    if (transport.closed) {
      done();
      return;
    }
    transport.once('close', done);
    if (!gently) {
      transport.destroy();
      return;
    }
    transport.end(() => transport.destroy());
    // Incoming data is dropped: otherwise a peer that writes before it reads would never see the GOODBYE.
    transport.resume();
  });

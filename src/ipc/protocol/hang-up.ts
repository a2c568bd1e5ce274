/** Closing a transport without leaving anything of it behind. */
import type { Duplex } from 'node:stream';
import { goodbyeMs } from './limits.ts';

/** Resolves when the transport is closed. `gently`: what was written may still go out, within a second. */
export const hangUp = (transport: Duplex, gently: boolean): Promise<void> =>
  new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      transport.destroy();
      done();
    }, goodbyeMs);
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
    // Else a peer that writes before it reads would never see the goodbye.
    transport.resume();
  });

/** Announces once that the daemon is ready: with its control socket, then with its readiness node. */

import type { Server } from 'node:net';
import { deferred } from '../../system/deferred.ts';

type Ports = {
  /** Resolves once the ruleset monitor listens; never if the daemon stops before that. */
  readonly listening: Promise<void>;
  /** Resolves when all running work has ended. */
  readonly settled: () => Promise<void>;
  readonly openControl: () => Promise<Pick<Server, 'close'>>;
  readonly publishReadiness: () => Promise<void>;
};

type Announcement = {
  /** Announces, unless `withdraw` comes before the ruleset monitor listens. */
  readonly announce: () => Promise<void>;
  /** Closes the control socket. It may still be about to be opened: then it is closed after that. */
  readonly withdraw: () => Promise<void>;
};

export const openAnnouncement = (ports: Ports): Announcement => {
  const stopped = deferred<false>();
  let control: Promise<Pick<Server, 'close'> | undefined> | undefined;

  const begin = async (): Promise<Pick<Server, 'close'> | undefined> => {
    const listening = ports.listening.then(() => true);
    if (!(await Promise.race([listening, stopped.promise]))) return undefined;
    await ports.settled();
    const server = await ports.openControl();
    await ports.publishReadiness();
    return server;
  };

  return {
    announce: async () => {
      control = begin();
      await control;
    },
    withdraw: async () => {
      stopped.resolve(false);
      (await control)?.close();
    },
  };
};

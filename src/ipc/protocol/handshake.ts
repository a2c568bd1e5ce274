/** A link's handshake: the version that both ends use, and the frames that it allows the peer. */
import { deferred } from '../../system/deferred.ts';
import { Violation } from './close-reason.ts';
import type { FrameName } from './frame.ts';
import { readHello } from './hello.ts';
import { vouchingVersion } from './limits.ts';

type Handshake = {
  /**
   * Checks that the peer may send a frame now.
   * @throws Violation
   */
  readonly check: (frame: FrameName) => void;
  /**
   * Takes the peer's HELLO.
   * @throws Violation on a second HELLO, or if the peer supports none of this side's versions
   */
  readonly take: (payload: Buffer) => void;
  /** Rejects `ready`, unless the peer's HELLO has come. */
  readonly fail: (error: Error) => void;
  /** Resolves when the peer's HELLO has come. The rejection may stay unhandled. */
  readonly ready: Promise<void>;
  /** 0 until the peer's HELLO has come. */
  readonly version: () => number;
};

export const createHandshake = (): Handshake => {
  const ready = deferred<void>();
  ready.promise.catch(() => {});
  let version = 0;
  return {
    check: (frame) => {
      if (version === 0 && frame !== 'hello') {
        throw new Violation('hello', `${frame} before the hello`);
      }
      if (frame === 'vouch' && version < vouchingVersion) {
        throw new Violation('type', `vouch in version ${version}`);
      }
    },
    take: (payload) => {
      if (version > 0) throw new Violation('state', 'a second hello');
      version = readHello(payload);
      ready.resolve();
    },
    fail: ready.reject,
    ready: ready.promise,
    version: () => version,
  };
};

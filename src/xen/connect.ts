/** Finding xenstored, and who we are. */
import { VifwatchError } from '../errors.ts';
import { openXenstore, type Xenstore, XenstoreError } from './xenstore.ts';

/** A hung xenstored answers nothing at all; a busy one takes milliseconds. */
const deadlineMs = 5_000;

const within = <T>(promise: Promise<T>): Promise<T> => {
  const late = new Promise<never>((_, reject) => {
    setTimeout(
      () => reject(new Error(`no answer within ${deadlineMs / 1000} s`)),
      deadlineMs,
    ).unref();
  });
  return Promise.race([promise, late]);
};

/** Throws XENSTORE_UNAVAILABLE. */
export const connect = async (): Promise<{ readonly store: Xenstore; readonly domid: number }> => {
  let store: Xenstore | undefined;
  try {
    store = openXenstore();
    return { store, domid: Number(await within(store.read('domid'))) };
  } catch (error) {
    // A request that is never answered would keep the process alive.
    store?.close();
    const { message } = error as Error;
    const hint =
      error instanceof XenstoreError ? '; is this a Xen domain, with /dev/xen/xenbus?' : '';
    throw new VifwatchError('XENSTORE_UNAVAILABLE', `cannot talk to xenstored: ${message}${hint}`);
  }
};

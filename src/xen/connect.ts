/** Connects to xenstored and finds out our own domid. */
import { VifwatchError } from '../errors.ts';
import { openXenstore, type Xenstore, XenstoreError } from './xenstore.ts';

/** A busy xenstored answers within milliseconds; a hung one never answers. */
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

/**
 * Opens a connection and reads our domid.
 * @throws VifwatchError XENSTORE_UNAVAILABLE if xenstored cannot be reached or does not answer within 5 s
 */
export const connect = async (): Promise<{ readonly store: Xenstore; readonly domid: number }> => {
  let store: Xenstore | undefined;
  try {
    store = openXenstore();
    return { store, domid: Number(await within(store.read('domid'))) };
  } catch (error) {
    // A pending request keeps the process alive.
    store?.close();
    const { message } = error as Error;
    const hint =
      error instanceof XenstoreError ? '; is this a Xen domain that has /dev/xen/xenbus?' : '';
    throw new VifwatchError('XENSTORE_UNAVAILABLE', `cannot talk to xenstored: ${message}${hint}`);
  }
};

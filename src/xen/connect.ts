/** Connects to xenstored and finds out our own domid. */
import { type Domid, parseDomid } from '../address/domid.ts';
import { VifwatchError } from '../errors.ts';
import { systemClock } from '../system/clock.ts';
import { within } from '../system/deadline.ts';
import { quoted } from '../text/printable.ts';
import { openXenstore, type Xenstore, XenstoreError } from './xenstore.ts';

/** A busy xenstored answers within milliseconds; a hung one never answers. */
const deadlineMs = 5_000;

const late = (): never => {
  throw new Error(`no answer within ${deadlineMs / 1000} s`);
};

/**
 * Opens a connection and reads our domid.
 * @throws VifwatchError XENSTORE_UNAVAILABLE if xenstored cannot be reached or does not answer within 5 s
 */
export const connect = async (): Promise<{ readonly store: Xenstore; readonly domid: Domid }> => {
  let store: Xenstore | undefined;
  try {
    store = openXenstore();
    const text = await within(systemClock, deadlineMs, store.read('domid'), late);
    const domid = parseDomid(text);
    if (domid === undefined) throw new Error(`its domid for this domain is ${quoted(text)}`);
    return { store, domid };
  } catch (error) {
    // A pending request keeps the process alive.
    store?.close();
    const { message } = error as Error;
    const hint =
      error instanceof XenstoreError ? '; is this a Xen domain that has /dev/xen/xenbus?' : '';
    throw new VifwatchError('XENSTORE_UNAVAILABLE', `cannot talk to xenstored: ${message}${hint}`);
  }
};

/** Requests to xenstored for nodes that may be gone. */
import { XenstoreError } from '../../xen/xenstore.ts';

/** A missing node below an unreadable parent gives EACCES in C xenstored and ENOENT in oxenstored. */
export const isGone = (error: unknown): boolean =>
  error instanceof XenstoreError && (error.code === 'ENOENT' || error.code === 'EACCES');

/** The result of a request, or `fallback` if the node is gone. */
export const ifGone = async <T>(result: Promise<T>, fallback: T): Promise<T> => {
  try {
    return await result;
  } catch (error) {
    if (isGone(error)) return fallback;
    throw error;
  }
};

/** The requests that xenstored itself refuses. A lost connection (EBADF) is not a refusal. */
import { XenstoreError } from './xenstore.ts';

export const isRefusal = (error: unknown): error is XenstoreError =>
  error instanceof XenstoreError && error.code !== 'EBADF';

/** A missing node below an unreadable parent gives EACCES in C xenstored and ENOENT in oxenstored. */
export const isMissingNode = (error: unknown): boolean =>
  isRefusal(error) && (error.code === 'ENOENT' || error.code === 'EACCES');

const orElse =
  (isExpected: (error: unknown) => boolean) =>
  async <T, E>(request: Promise<T>, fallback: E): Promise<T | E> => {
    try {
      return await request;
    } catch (error) {
      if (isExpected(error)) return fallback;
      throw error;
    }
  };

/** The result of a request, or `fallback` if xenstored refuses it. */
export const ifRefused = orElse(isRefusal);

/** The result of a request, or `fallback` if the node is missing or not readable. */
export const ifMissing = orElse(isMissingNode);

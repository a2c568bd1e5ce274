/** Reads nodes that may be missing, and waits for values of nodes. */
import { concatMap, filter, firstValueFrom, from, map, of, timeout } from 'rxjs';
import { type Transaction, type Xenstore, XenstoreError } from '../../../src/xen/xenstore.ts';

/**
 * ENOENT and EACCES both mean a missing node, because xenstored answers EACCES below unreadable directories.
 */
const isMissing = (error: unknown): boolean =>
  error instanceof XenstoreError && ['ENOENT', 'EACCES'].includes(error.code);

/** Resolves with undefined if the node is missing, which its owner or dom0 may remove at any time. */
export const orMissing = async <T>(result: Promise<T>): Promise<T | undefined> => {
  try {
    return await result;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
};

export const readNode = (
  store: Xenstore,
  path: string,
  tx?: Transaction,
): Promise<string | undefined> => orMissing(store.read(path, tx));

export const listNode = async (
  store: Xenstore,
  path: string,
  tx?: Transaction,
): Promise<readonly string[]> => (await orMissing(store.list(path, tx))) ?? [];

/** Resolves with true when `accepted` accepts the node's value, with false after `seconds`. */
export const nodeBecomes = (
  store: Xenstore,
  path: string,
  accepted: (value: string | undefined) => boolean,
  seconds: number,
): Promise<boolean> =>
  firstValueFrom(
    store.watch(path).pipe(
      concatMap(() => from(readNode(store, path))),
      filter(accepted),
      map(() => true),
      timeout({ first: seconds * 1000, with: () => of(false) }),
    ),
  );

/** Removes a node if it exists. */
export const removeNode = async (
  store: Xenstore,
  path: string,
  tx?: Transaction,
): Promise<void> => {
  await orMissing(store.remove(path, tx));
};

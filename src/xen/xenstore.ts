/** A connection to xenstored, over /dev/xen/xenbus or a socket. */
import { Observable, Subject, takeUntil } from 'rxjs';
import { loadNative, type NativeXenstore, type Permission } from './native.ts';
import { serialTransactions, type Transaction } from './transaction.ts';

export type { Permission, Transaction };

/**
 * A failed request. `code` is the errno's name from libxenstore: ENOENT, EACCES (also for a node that does
 * not exist), EINVAL (also for an exceeded quota of oxenstored), ENOSPC (for a quota of C xenstored), E2BIG,
 * EAGAIN…, and EBADF after the connection is closed or lost. `path` is empty if the request has no path.
 */
export class XenstoreError extends Error {
  override readonly name = 'XenstoreError';
  readonly code: string;
  readonly operation: string;
  readonly path: string;

  constructor(code: string, operation: string, path: string) {
    super(`xenstore ${operation}${path && ` ${path}`}: ${code}`);
    this.code = code;
    this.operation = operation;
    this.path = path;
  }
}

/**
 * A connection to xenstored. Its own thread sends the requests in order; while xenstored does not answer,
 * they stay pending, without a time limit. Strings hold one character per byte. A pending request or a
 * watch keeps the process alive. Failures are XenstoreErrors.
 */
export interface Xenstore {
  read(path: string, tx?: Transaction): Promise<string>;
  /** Reads many nodes at once, in their order; undefined for a node that is missing or not readable. */
  readAll(paths: readonly string[], tx?: Transaction): Promise<readonly (string | undefined)[]>;
  list(path: string, tx?: Transaction): Promise<readonly string[]>;
  /** Rejects with E2BIG if path and value exceed 4 KiB, with EINVAL for a character above U+00FF. */
  write(path: string, value: string, tx?: Transaction): Promise<void>;
  remove(path: string, tx?: Transaction): Promise<void>;
  getPermissions(path: string, tx?: Transaction): Promise<readonly Permission[]>;
  setPermissions(path: string, permissions: readonly Permission[], tx?: Transaction): Promise<void>;
  /**
   * Reads a whole subtree: values by their path relative to `path`, whose own key is ''; parents first. It
   * is not a snapshot: nodes that vanish meanwhile or cannot be read are left out. Rejects with E2BIG above
   * 16 MiB, where each node counts 256 bytes plus its path and value.
   */
  tree(path: string): Promise<ReadonlyMap<string, string>>;
  /**
   * Runs the body in a transaction and commits. After a conflict with another client it runs the body
   * again, at most eight times, and then rejects with EAGAIN. It aborts if the body rejects. Never call it
   * within a body: transactions run one at a time, so it would wait for itself.
   */
  transaction<T>(body: (tx: Transaction) => Promise<T>): Promise<T>;
  /**
   * Emits `path` at once, and then each path at or below it that changes. Events may be spurious, and a
   * removal may be reported only by an ancestor's path. Errors with EBADF when a request finds that the
   * connection is lost.
   */
  watch(path: string): Observable<string>;
  /** Pending requests reject with EBADF, watches complete. May be called again. */
  close(): void;
}

const toXenstoreError = (error: unknown, operation: string, path: string): unknown =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? new XenstoreError(error.code, operation, path)
    : error;

const asked = async <T>(operation: string, path: string, ask: () => Promise<T>): Promise<T> => {
  try {
    return await ask();
  } catch (error) {
    throw toXenstoreError(error, operation, path);
  }
};

const toMap = (pairs: readonly string[]): ReadonlyMap<string, string> => {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < pairs.length; i += 2) map.set(pairs[i] ?? '', pairs[i + 1] ?? '');
  return map;
};

const watchOf = (native: NativeXenstore, path: string): Observable<string> =>
  new Observable((subscriber) => {
    try {
      const id = native.watch(path, (error, changed) =>
        error ? subscriber.error(toXenstoreError(error, 'watch', path)) : subscriber.next(changed),
      );
      return () => native.unwatch(id);
    } catch (error) {
      throw toXenstoreError(error, 'watch', path);
    }
  });

const connect = (): NativeXenstore => {
  const { Xenstore } = loadNative();
  const { XENSTORED_PATH = '/dev/xen/xenbus' } = process.env;
  try {
    return new Xenstore();
  } catch (error) {
    throw toXenstoreError(error, 'open', XENSTORED_PATH);
  }
};

/**
 * Connects as libxenstore does: to the socket $XENSTORED_PATH, else to xenstored's socket in this domain,
 * else to /dev/xen/xenbus. Throws a XenstoreError, or an Error if the addon cannot be loaded.
 */
export const openXenstore = (): Xenstore => {
  const native = connect();
  const closed = new Subject<void>();
  const end = (tx: Transaction, abort: boolean) =>
    asked(abort ? 'abort' : 'commit', '', () => native.end(tx, abort));
  return {
    read: (path, tx) => asked('read', path, () => native.read(path, tx ?? 0)),
    readAll: (paths, tx) => asked('readAll', paths.join(' '), () => native.readAll(paths, tx ?? 0)),
    list: (path, tx) => asked('list', path, () => native.list(path, tx ?? 0)),
    write: (path, value, tx) => asked('write', path, () => native.write(path, tx ?? 0, value)),
    remove: (path, tx) => asked('remove', path, () => native.remove(path, tx ?? 0)),
    getPermissions: (path, tx) =>
      asked('getPermissions', path, () => native.getPermissions(path, tx ?? 0)),
    setPermissions: (path, permissions, tx) =>
      asked('setPermissions', path, () => native.setPermissions(path, tx ?? 0, permissions)),
    tree: async (path) => toMap(await asked('tree', path, () => native.tree(path))),
    transaction: serialTransactions({
      begin: () => asked('begin', '', () => native.begin()),
      commit: (tx) => end(tx, false),
      abort: (tx) => end(tx, true),
    }),
    watch: (path) => watchOf(native, path).pipe(takeUntil(closed)),
    close: () => {
      closed.next();
      native.close();
    },
  };
};

/** A xenstored in memory, in which a test can fail requests and let other programs come between. */
import { of } from 'rxjs';
import { type Transaction, type Xenstore, XenstoreError } from '../../../src/xen/xenstore.ts';

export type FakeStore = {
  readonly store: Xenstore;
  readonly nodes: Map<string, string>;
  /** The writes and removals that were committed, in their order. */
  readonly changes: string[];
  /** How many transactions were committed or aborted. */
  readonly transactions: () => number;
  /** Called before each commit; true means a conflict, so the body runs again. */
  conflicts: () => boolean;
  /** The errno with which requests of an operation on a path fail. */
  refuses: (operation: 'write' | 'remove', path: string) => string | undefined;
};

const attempts = 8;

export const openFakeStore = (initial: Readonly<Record<string, string>> = {}): FakeStore => {
  const nodes = new Map(Object.entries(initial));
  let count = 0;
  /** The changes of the open transaction; a transaction shows its own changes. */
  let pending: (() => void)[] | undefined;
  const isBelow = (path: string, name: string): boolean => name.startsWith(`${path}/`);
  const change = (operation: 'write' | 'remove', path: string, apply: () => void): void => {
    const code = fake.refuses(operation, path);
    if (code !== undefined) throw new XenstoreError(code, operation, path);
    const commit = (): void => {
      apply();
      fake.changes.push(`${operation} ${path}`);
    };
    if (pending === undefined) commit();
    else pending.push(commit);
  };
  const read = async (path: string): Promise<string> => {
    const value = nodes.get(path);
    if (value === undefined) throw new XenstoreError('ENOENT', 'read', path);
    return value;
  };
  const attempt = async <T>(body: (tx: Transaction) => Promise<T>, left: number): Promise<T> => {
    pending = [];
    count += 1;
    try {
      const result = await body(1 as Transaction);
      if (!fake.conflicts()) {
        for (const commit of pending) commit();
        return result;
      }
    } finally {
      pending = undefined;
    }
    if (left === 1) throw new XenstoreError('EAGAIN', 'commit', '');
    return attempt(body, left - 1);
  };
  let last: Promise<unknown> = Promise.resolve();
  const store = {
    read,
    readAll: async (paths: readonly string[]) => paths.map((path) => nodes.get(path)),
    list: async (path: string) => {
      const below = [...nodes.keys()].filter((name) => isBelow(path, name));
      if (below.length === 0) throw new XenstoreError('ENOENT', 'list', path);
      return [...new Set(below.map((name) => name.slice(path.length + 1).split('/')[0] ?? ''))];
    },
    write: async (path: string, value: string) =>
      change('write', path, () => {
        nodes.set(path, value);
      }),
    remove: async (path: string) =>
      change('remove', path, () => {
        for (const name of nodes.keys())
          if (name === path || isBelow(path, name)) nodes.delete(name);
      }),
    transaction: <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
      const result = last.then(() => attempt(body, attempts));
      last = result.catch(() => {});
      return result;
    },
    watch: (path: string) => of(path, `${path}/3/0/state`, `${path}/3/0/other`),
  } as unknown as Xenstore;
  const fake: FakeStore = {
    store,
    nodes,
    changes: [],
    transactions: () => count,
    conflicts: () => false,
    refuses: () => undefined,
  };
  return fake;
};

/** The native addon: what it exports, and where it is. */
import { createRequire } from 'node:module';
import { addonFile, packageRoot } from '../package.ts';
import type { Transaction } from './transaction.ts';

/** A domain's rights on a node. The first of a list names the owner and all others' rights. */
export type Permission = {
  readonly domid: number;
  readonly read: boolean;
  readonly write: boolean;
};

/**
 * One connection. Strings hold one character per byte. Failures are Errors with the errno's name in
 * `code`; those of the arguments are thrown, all others reject. Transaction 0 is none.
 */
export interface NativeXenstore {
  read(path: string, tx: Transaction | 0): Promise<string>;
  readAll(paths: readonly string[], tx: Transaction | 0): Promise<(string | undefined)[]>;
  list(path: string, tx: Transaction | 0): Promise<string[]>;
  write(path: string, tx: Transaction | 0, value: string): Promise<void>;
  remove(path: string, tx: Transaction | 0): Promise<void>;
  getPermissions(path: string, tx: Transaction | 0): Promise<Permission[]>;
  setPermissions(
    path: string,
    tx: Transaction | 0,
    permissions: readonly Permission[],
  ): Promise<void>;
  /** Path, value, path, value…, parents first; paths relative to the given one. */
  tree(path: string): Promise<string[]>;
  begin(): Promise<Transaction>;
  end(tx: Transaction, abort: boolean): Promise<void>;
  /** Yields an id for `unwatch`. Calls back with (null, path) per event, or once with an error. */
  watch(path: string, callback: (error: Error | null, path: string) => void): number;
  unwatch(id: number): void;
  close(): void;
}

type Addon = { readonly Xenstore: new () => NativeXenstore };

/** Loads the addon, from sources as from the bundle. Throws an Error that says how to build it. */
export const loadNative = (): Addon => {
  try {
    return createRequire(import.meta.url)(addonFile);
  } catch (cause) {
    throw new Error(
      `cannot load ${addonFile}: ${cause instanceof Error ? cause.message.split('\n', 1)[0] : cause}; ` +
        `to build it, run "npm run install" in ${packageRoot}, ` +
        "which needs g++, make, python3 and Xen's headers (Debian: libxen-dev, Alpine: xen-dev)",
      { cause },
    );
  }
};

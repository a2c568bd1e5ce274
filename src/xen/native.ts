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

/** What an operation on a vchan was at when it failed with the errno in its Error's `code`. */
export type VchanOperation =
  | 'open evtchn'
  | 'open gntalloc'
  | 'open gntdev'
  | 'offer port'
  | 'join port'
  | 'grant pages'
  | 'map pages'
  | 'check orders'
  | 'check indices'
  | 'watch port';

/** One end of a vchan. Failures are thrown, as Errors with an `operation`; then only `close` is left. */
export interface NativeVchan {
  /** Our event channel's port. */
  port(): number;
  /** A server's, to which no client has come yet. */
  isWaiting(): boolean;
  /**
   * Fills `into` and yields how many bytes; 0 if there are none now, or none `wanted`, of which an event
   * will tell; -1 once the peer has closed, and all that it wrote was read. A peer that has closed is
   * read from even if nothing is wanted.
   */
  read(into: Uint8Array, wanted: boolean): number;
  /** Yields how many bytes have been written; an event tells of room for what is left. */
  write(chunks: readonly Uint8Array[]): number;
  close(): void;
}

/** The pages of a server, for one session after the other. */
interface NativeVchanServer {
  ringRef(): number;
  /** The pages go with the session that uses them. */
  close(): void;
}

type VchanConstructor = {
  new (onEvent: () => void, server: NativeVchanServer): NativeVchan;
  new (onEvent: () => void, domid: number, ringRef: number, port: number): NativeVchan;
};

type PeerCredentials = {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
};

export type Program = {
  /** From "/". */
  readonly path: string;
  /** From argv[0] on. */
  readonly argv: readonly string[];
  /** NAME=value. */
  readonly environment: readonly string[];
  /** To become 0 to 2; no others are inherited. */
  readonly descriptors: readonly [stdin: number, stdout: number, stderr: number];
  /** Whom root becomes, with no other groups; undefined leaves all that as it is. */
  readonly identity: { readonly uid: number; readonly gid: number } | undefined;
};

/** The step of a start that failed with the errno in its Error's `code`. */
export type SpawnOperation =
  | 'arguments'
  | 'clone'
  | 'pidfd'
  | 'session'
  | 'groups'
  | 'group'
  | 'user'
  | 'directory'
  | 'descriptors'
  | 'exec'
  | 'watch process';

type Addon = {
  readonly Xenstore: new () => NativeXenstore;
  readonly Vchan: VchanConstructor;
  /** Sizes in bytes, at most 1 MiB; left is what the client writes. */
  readonly VchanServer: new (
    domid: number,
    left: number,
    right: number,
  ) => NativeVchanServer;
  /** Of the process that connected a unix socket, as the kernel knows it. */
  readonly peerCredentials: (descriptor: number) => PeerCredentials;
  /** Descriptors, closed on exec. */
  readonly pipe: () => readonly [readEnd: number, writeEnd: number];
  /**
   * Yields the pid of a program that now runs, in a session of its own and at "/". `onEnd` is called with its exit
   * status, or 128 and the signal's number. Throws an Error with an `operation`, and nothing is left then.
   */
  readonly spawn: (program: Program, onEnd: (status: number) => void) => number;
};

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

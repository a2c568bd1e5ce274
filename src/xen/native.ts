/** The native addon's exports, and the function that loads it. */
import { createRequire } from 'node:module';
import type { Domid } from '../address/domid.ts';
import { addonFile, packageRoot } from '../package.ts';
import type { Transaction } from './transaction.ts';

/** A domain's rights on a node. A list's first entry names the owner, and the rights of unlisted domains. */
export type Permission = {
  readonly domid: number;
  readonly read: boolean;
  readonly write: boolean;
};

/**
 * A connection to xenstored. Strings hold one character per byte. Failures are Errors with the errno's name
 * in `code`: bad arguments throw, everything else rejects. Transaction 0 means no transaction.
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
  /** Resolves with path, value, path, value…, parents first; the paths are relative to `path`. */
  tree(path: string): Promise<string[]>;
  begin(): Promise<Transaction>;
  end(tx: Transaction, abort: boolean): Promise<void>;
  /** Returns an id for `unwatch`. Calls back with (null, path) for each event, or once with an error. */
  watch(path: string, callback: (error: Error | null, path: string) => void): number;
  unwatch(id: number): void;
  close(): void;
}

/** The step of a vchan operation that failed with the errno in its Error's `code`. */
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
  | 'watch port'
  | 'use port';

/** One end of a vchan. Its methods throw Errors with an `operation`; then only `close` may be called. */
export interface NativeVchan {
  /** Our port of the event channel. */
  port(): number;
  /** True for a server while no client has connected. */
  isWaiting(): boolean;
  /**
   * Reads into `into` and returns the number of bytes. 0 means that no bytes are there now, in which case
   * an event follows when some arrive, or that `wanted` is false. -1 means that the peer has closed and all
   * its bytes were read. After the peer has closed, `wanted` is ignored.
   */
  read(into: Uint8Array, wanted: boolean): number;
  /** Returns the number of bytes written. If some are left, an event follows when the ring has room. */
  write(chunks: readonly Uint8Array[]): number;
  close(): void;
}

/** A server's granted pages, which serve one session after another. */
interface NativeVchanServer {
  ringRef(): number;
  /** Frees the pages, or leaves that to the session that uses them. */
  close(): void;
}

type VchanConstructor = {
  new (onEvent: () => void, server: NativeVchanServer): NativeVchan;
  new (onEvent: () => void, domid: Domid, ringRef: number, port: number): NativeVchan;
};

type PeerCredentials = {
  readonly pid: number;
  readonly uid: number;
  readonly gid: number;
};

export type Program = {
  /** An absolute path. */
  readonly path: string;
  /** Includes argv[0]. */
  readonly argv: readonly string[];
  /** Entries of the form NAME=value. */
  readonly environment: readonly string[];
  /** The child's descriptors 0 to 2. It inherits no others. */
  readonly descriptors: readonly [stdin: number, stdout: number, stderr: number];
  /** The user and group that the child becomes, without other groups; undefined keeps our own. */
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
  | 'signals'
  | 'exec'
  | 'watch process';

type Addon = {
  readonly Xenstore: new () => NativeXenstore;
  readonly Vchan: VchanConstructor;
  /** Ring sizes in bytes, at most 1 MiB. The client writes the left ring, the server the right one. */
  readonly VchanServer: new (
    domid: Domid,
    left: number,
    right: number,
  ) => NativeVchanServer;
  /**
   * The settings of all links in this network namespace, as below /proc/sys/net: the values of IPV4_DEVCONF_1 and the
   * following, and of DEVCONF_0 and the following. A link without IPv6 lacks the last two.
   */
  readonly linkSettings: () => readonly {
    readonly name: string;
    readonly ipv4: Int32Array;
    readonly ipv6?: Int32Array;
    readonly proxyDelayMs?: number;
  }[];
  /** The names of the links that policy rules of both families name. */
  readonly ruleLinks: () => readonly string[];
  /** The indices of the links in this network namespace that have an ingress or clsact qdisc of tc. */
  readonly ingressQdiscs: () => readonly number[];
  /** Returns those of the links, by index, that have a TCX program for arriving packets. */
  readonly tcxLinks: (indices: readonly number[]) => readonly number[];
  /** Calls back after each change by tc, until it is closed. Keeps the process alive. */
  readonly TrafficControlWatch: new (
    onChange: () => void,
  ) => { close(): void };
  /**
   * Whether a process has the regular file of this descriptor open for writing; false also on a file system
   * that cannot tell.
   */
  readonly isOpenForWriting: (descriptor: number) => boolean;
  /** Locks the file until its descriptor is closed; false if another process has the lock. */
  readonly lockFile: (descriptor: number) => boolean;
  /** Returns the kernel's record of the process that connected a unix socket. */
  readonly peerCredentials: (descriptor: number) => PeerCredentials;
  /** Creates a pipe. Both descriptors are closed on exec. */
  readonly pipe: () => readonly [readEnd: number, writeEnd: number];
  /**
   * Starts a program in its own session, with "/" as its working directory, and returns its pid. `onEnd`
   * gets the exit status, or 128 plus the signal's number. Throws an Error with an `operation` if the
   * program does not run; then no process is left.
   */
  readonly spawn: (program: Program, onEnd: (status: number) => void) => number;
};

/** Loads the addon, both from src/ and from the bundle. Throws an Error that says how to build it. */
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

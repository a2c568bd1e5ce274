/** The state that all calls to this VM's services share. */
import type { Readable, Writable } from 'node:stream';
import type { CallRequest } from '../protocol/call.ts';
import { type ConcurrencyLimits, openConcurrencyLimits } from './concurrency-limits.ts';
import { type Enqueue, openFairQueue } from './fair-queue.ts';

export type ServiceCall = {
  readonly request: CallRequest;
  /** The calling VM's name in dom0's map. */
  readonly source: string;
  /** The relay that vouches for the source; undefined if the source itself called. */
  readonly via: string | undefined;
  /** The policy's `user=`. */
  readonly user: string | undefined;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly cancelled: AbortSignal;
};

/**
 * The key that counts a caller's calls. Relayed calls have their own key: they must not use up the VM's own
 * share.
 */
export const callerKey = ({ source, via }: Pick<ServiceCall, 'source' | 'via'>): string =>
  via === undefined ? source : `${source} via ${via}`;

type ServiceOptions = {
  /** The directory of executables and sockets. */
  readonly directory: string;
  /** The directory of their TOML files. */
  readonly configDirectory: string;
  /**
   * Receives the reason why a call was refused, or ended before its service: one printable line for the log.
   */
  readonly report: (text: string, call: ServiceCall) => void;
};

export type Services = ServiceOptions & {
  readonly concurrency: ConcurrencyLimits;
  readonly enqueueStart: Enqueue;
};

export const openServices = (options: ServiceOptions): Services => ({
  ...options,
  concurrency: openConcurrencyLimits(),
  enqueueStart: openFairQueue(),
});

/** Resolves when no call has a process left: at most 3.5 s after the last call was cancelled. */
export const servicesEnded = ({ concurrency }: Services): Promise<void> => concurrency.whenIdle();

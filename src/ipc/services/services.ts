/** What all calls to this VM's services share. */
import type { Readable, Writable } from 'node:stream';
import type { CallRequest } from '../protocol/call.ts';
import { type ConcurrencyLimits, openConcurrencyLimits } from './concurrency-limits.ts';
import { type Enqueue, openFairQueue } from './fair-queue.ts';

export type ServiceCall = {
  readonly request: CallRequest;
  /** The calling VM, by the name that dom0's map has for it. */
  readonly source: string;
  /** The relay whose word the source is; undefined if it called itself. */
  readonly via: string | undefined;
  /** From the policy's `user=`. */
  readonly user: string | undefined;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly cancelled: AbortSignal;
};

/** By what calls are counted: what a relay says of a name must not use up what that VM itself may have. */
export const callerKey = ({ source, via }: Pick<ServiceCall, 'source' | 'via'>): string =>
  via === undefined ? source : `${source} via ${via}`;

export type ServiceOptions = {
  /** Executables and sockets. */
  readonly directory: string;
  /** Their TOML files. */
  readonly configDirectory: string;
  /** Told why a call was refused, or ended before its service did: one line for the log, fit to print. */
  readonly report: (text: string, call: ServiceCall) => void;
};

export type Services = ServiceOptions & {
  readonly concurrency: ConcurrencyLimits;
  readonly enqueueStart: Enqueue;
};

export const openServices = ({ directory, configDirectory, report }: ServiceOptions): Services => ({
  directory,
  configDirectory,
  report,
  concurrency: openConcurrencyLimits(),
  enqueueStart: openFairQueue(),
});

/** When nothing of any call is left, for the agent's own end: at most 3.5 s after the last has been cancelled. */
export const servicesEnded = ({ concurrency }: Services): Promise<void> => concurrency.whenIdle();

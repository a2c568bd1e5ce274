/** The errors of vchans, with their likely remedies. */
import type { VchanOperation } from '../../xen/native.ts';

export const vchanCodes = [
  /** A node below /dev/xen is missing: its module is not loaded. */
  'VCHAN_DEVICE_MISSING',
  /** No grants or event channels are left. */
  'VCHAN_EXHAUSTED',
  /** The offer cannot be joined: it is stale, is for another domain, or has a client already. */
  'VCHAN_REFUSED',
  /** The peer has written values that libxenvchan never writes. */
  'VCHAN_CORRUPT',
  /** The session ended before a client came, or before a write was done. */
  'VCHAN_CLOSED',
  /** Any other failure, such as a lack of permissions. */
  'VCHAN_FAILED',
] as const;

type VchanCode = (typeof vchanCodes)[number];

export class VchanError extends Error {
  override readonly name = 'VchanError';
  readonly code: VchanCode;

  constructor(code: VchanCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const devices = {
  'open evtchn': ['evtchn', 'xen-evtchn'],
  'open gntalloc': ['gntalloc', 'xen-gntalloc'],
  'open gntdev': ['gntdev', 'xen-gntdev'],
} as const satisfies Partial<Record<VchanOperation, readonly [node: string, module: string]>>;

const limit =
  'raise /sys/module/xen_gntalloc/parameters/limit, or boot with xen_gntalloc.limit=8192';

type Explanation = readonly [code: VchanCode, text: string];

const explainOpen = (errno: string, [node, module]: readonly [string, string]): Explanation =>
  ['ENOENT', 'ENXIO', 'ENODEV'].includes(errno)
    ? ['VCHAN_DEVICE_MISSING', `there is no /dev/xen/${node}: modprobe ${module}`]
    : ['VCHAN_FAILED', `cannot open /dev/xen/${node}: ${errno}`];

/** Returns the code and the message for an operation's errno. */
export const explain = (operation: VchanOperation, errno: string): Explanation => {
  const failed: Explanation = ['VCHAN_FAILED', `vchan: cannot ${operation}: ${errno}`];
  const isFull = ['ENOSPC', 'ENOMEM', 'EMFILE', 'ENFILE'].includes(errno);
  switch (operation) {
    case 'open evtchn':
    case 'open gntalloc':
    case 'open gntdev':
      return explainOpen(errno, devices[operation]);
    case 'grant pages':
      return isFull ? ['VCHAN_EXHAUSTED', `no grants are left (${errno}): ${limit}`] : failed;
    case 'offer port':
      return isFull ? ['VCHAN_EXHAUSTED', `no event channels are left (${errno})`] : failed;
    case 'join port':
    case 'map pages':
      if (isFull) return ['VCHAN_EXHAUSTED', `no event channels or maps are left (${errno})`];
      return ['VCHAN_REFUSED', `the vchan's offer is not valid (${operation}: ${errno})`];
    case 'check orders':
      return ['VCHAN_CORRUPT', "the vchan server's ring sizes are impossible"];
    case 'check indices':
      return ['VCHAN_CORRUPT', "the vchan peer's ring indices are impossible"];
    case 'watch port':
    case 'use port':
      return failed;
  }
};

const isFailure = (error: unknown): error is Error & { operation: VchanOperation; code: string } =>
  error instanceof Error && 'operation' in error && 'code' in error;

/** Turns an error of the addon into a VchanError. Returns any other error unchanged. */
export const toVchanError = (error: unknown): Error => {
  if (!(error instanceof Error)) return new Error(`${error}`);
  if (!isFailure(error)) return error;
  const [code, text] = explain(error.operation, error.code);
  return new VchanError(code, text, { cause: error });
};

/**
 * Calls the addon, and turns its errors into VchanErrors.
 * @throws VchanError
 */
export const withVchanErrors = <T>(call: () => T): T => {
  try {
    return call();
  } catch (error) {
    throw toVchanError(error);
  }
};

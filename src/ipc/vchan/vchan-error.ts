/** What goes wrong with a vchan, and the way out of it. */
import type { VchanOperation } from '../../xen/native.ts';

export const vchanCodes = [
  /** A node below /dev/xen is missing: its module is not loaded. */
  'VCHAN_DEVICE_MISSING',
  /** No grants or event channels are left. */
  'VCHAN_EXHAUSTED',
  /** There is nothing to join: a stale offer, another's, or one that a client has already. */
  'VCHAN_REFUSED',
  /** The peer has written what no libxenvchan would. */
  'VCHAN_CORRUPT',
  /** The session has ended before a client came, or before a write was done. */
  'VCHAN_CLOSED',
  /** Anything else, such as a lack of rights. */
  'VCHAN_FAILED',
] as const;

export type VchanCode = (typeof vchanCodes)[number];

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

/** What the errno of an operation means. */
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
      return failed;
  }
};

const isFailure = (error: unknown): error is Error & { operation: VchanOperation; code: string } =>
  error instanceof Error && 'operation' in error && 'code' in error;

/** A VchanError for what the addon throws; other errors as they are. */
export const toVchanError = (error: unknown): Error => {
  if (!(error instanceof Error)) return new Error(`${error}`);
  if (!isFailure(error)) return error;
  const [code, text] = explain(error.operation, error.code);
  return new VchanError(code, text, { cause: error });
};

/** Does what may throw in the addon. */
export const withVchanErrors = <T>(call: () => T): T => {
  try {
    return call();
  } catch (error) {
    throw toVchanError(error);
  }
};

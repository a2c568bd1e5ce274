/** The reasons why a link ends. */

/** A code's number on the wire is its index in this list plus 1. */
export const closeCodes = [
  'shutdown',
  'identity',
  'hung',
  'hello',
  'version',
  'type',
  'flags',
  'length',
  'stream-id',
  'direction',
  'state',
  'credit',
  'payload',
  'streams',
  'exhausted',
] as const;

type CloseCode = (typeof closeCodes)[number];

export type CloseReason = { readonly code: CloseCode; readonly text: string };

export type Closed =
  | { readonly kind: 'us'; readonly code: CloseCode; readonly text: string }
  | { readonly kind: 'peer'; readonly code: CloseCode | 'unknown'; readonly text: string }
  /** The transport ended without GOODBYE, or failed with the error in `text`. */
  | { readonly kind: 'transport'; readonly code: 'ended' | 'failed'; readonly text: string };

/** The peer sent something illegal. The link is closed with this reason. */
export class Violation extends Error {
  readonly code: CloseCode;
  constructor(code: CloseCode, message: string) {
    super(message);
    this.code = code;
  }
}

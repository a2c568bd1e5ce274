/** Why a service's call is not served. */
import type { Refusal, RefusalCode } from '../protocol/call.ts';

type ServiceRefusal = Exclude<RefusalCode, 'denied' | 'unreachable'>;

/** The caller is told no more than what it can act on: paths and users are for our own log. */
const callerTexts = {
  'not-found': 'there is no such service',
  busy: 'too many calls are running',
  failed: 'the service cannot be run; the log there says why',
} satisfies Record<ServiceRefusal, string>;

/** The message is for our log and may name files; it has no newlines. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(code: ServiceRefusal, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.refusal = { code, text: callerTexts[code] };
  }
}

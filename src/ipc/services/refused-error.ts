/** The reasons why a service's call is refused. */
import type { Refusal, RefusalCode } from '../protocol/call.ts';

type ServiceRefusal = Exclude<RefusalCode, 'denied' | 'unreachable'>;

/** The texts for the caller. Paths and users appear only in this VM's own log. */
const callerTexts = {
  'not-found': 'there is no such service',
  busy: 'too many calls are running',
  failed: 'the service cannot be run; the log of its VM has the reason',
} satisfies Record<ServiceRefusal, string>;

/** The message is for this VM's log and may name files. It must not contain newlines. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(code: ServiceRefusal, message: string) {
    super(message);
    this.name = 'RefusedError';
    this.refusal = { code, text: callerTexts[code] };
  }
}

/** The credit account of a channel's sending end. */
import { Violation } from './close-reason.ts';
import { initialWindow, maxWindow } from './limits.ts';

type SendCredit = {
  /** The bytes that may still be sent. */
  left: number;
  /** Whether the peer has stopped reading. */
  stopped: boolean;
};

export const initialCredit = (): SendCredit => ({ left: initialWindow, stopped: false });

/**
 * Adds the peer's credit in bytes.
 * @throws Violation on an empty CREDIT, more than the greatest window, or a CREDIT after STOP
 */
export const addCredit = (credit: SendCredit, channel: string, bytes: number): void => {
  if (credit.stopped) throw new Violation('state', `credit for ${channel} after its stop`);
  if (bytes === 0 || credit.left + bytes > maxWindow) {
    const text = `${bytes} bytes of credit for ${channel} on top of ${credit.left}`;
    throw new Violation('credit', text);
  }
  credit.left += bytes;
};

/**
 * Notes that the peer has stopped reading.
 * @throws Violation on a second STOP
 */
export const stopCredit = (credit: SendCredit, channel: string): void => {
  if (credit.stopped) throw new Violation('state', `a second stop of ${channel}`);
  credit.stopped = true;
};

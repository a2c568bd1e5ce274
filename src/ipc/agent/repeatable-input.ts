/** A call's stdin on its way to a relay, which may yet refuse to pass the call on: then it is said again to another. */
import type { Readable, Writable } from 'node:stream';
import type { Outcome, OutgoingCall } from '../protocol/call.ts';
import { initialWindow } from '../protocol/limits.ts';

export type RepeatableInput = {
  /** Says all there was from the beginning, then what follows. */
  readonly sayTo: (call: OutgoingCall) => void;
  /** Whether nothing of the call has reached its target, and all of its input is still here. */
  readonly mayRepeat: (outcome: Outcome) => boolean;
};

/** Takes the stream over; one that nobody reads any more is destroyed, as by `pump`. */
export const openRepeatableInput = (stdin: Readable): RepeatableInput => {
  let kept: Buffer[] | undefined = [];
  let sentBytes = 0;
  let ended = false;
  let sink: Writable | undefined;

  const mayRepeat = (outcome: Outcome): boolean =>
    outcome.kind === 'refused' && outcome.refusal.code === 'unreachable' && kept !== undefined;

  const say = (to: Writable, chunk: Buffer): boolean =>
    to.write(chunk, (error) => {
      if (error) return;
      sentBytes += chunk.length;
      // More than that goes by a credit, which a relay grants only for a call that it has passed on.
      if (sentBytes > initialWindow) kept = undefined;
    });

  stdin.on('data', (chunk: Buffer) => {
    kept?.push(chunk);
    if (sink !== undefined && !say(sink, chunk)) stdin.pause();
  });
  stdin.once('end', () => {
    ended = true;
    sink?.end();
  });

  return {
    mayRepeat,
    sayTo: ({ stdin: next, outcome }) => {
      sink = next;
      next.on('drain', () => stdin.resume());
      next.once('close', async () => {
        // Of one that is spoken to no more nothing follows.
        if (ended || sink !== next) return;
        stdin.pause();
        // The outcome, if it is known already: it is what closed the channel then.
        const known = await Promise.race([outcome, undefined]);
        if (known !== undefined && mayRepeat(known)) return;
        kept = undefined;
        stdin.destroy();
      });
      const written = (kept ?? []).map((chunk) => say(next, chunk));
      if (ended) next.end();
      else if (written.at(-1) !== false) stdin.resume();
    },
  };
};

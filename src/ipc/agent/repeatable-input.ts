/**
 * A call's stdin on its way to a relay. If the relay cannot pass the call on, the input is sent over another
 * link.
 */
import type { Readable, Writable } from 'node:stream';
import type { Outcome, OutgoingCall } from '../protocol/call.ts';
import { initialWindow } from '../protocol/limits.ts';

type RepeatableInput = {
  /** Sends the kept input from its beginning, then the input that follows. */
  readonly sayTo: (call: OutgoingCall) => void;
  /** Whether no part of the call has reached its target, and all of its input is still kept. */
  readonly mayRepeat: (outcome: Outcome) => boolean;
};

/** Takes over the stream. Like `pump`, it destroys a stream whose reader has gone. */
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
      // More bytes need a credit, and a relay grants one only for a call that it has passed on.
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
        // The input has ended, or it already goes to another call.
        if (ended || sink !== next) return;
        stdin.pause();
        // If the outcome is known already, it has closed the channel.
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

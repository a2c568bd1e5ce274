/** Copies the data of one direction of a call. */
import type { Readable, Writable } from 'node:stream';

/** The result: all data was passed on, the source broke off before its end, or the sink has closed. */
export type Pumped = 'ended' | 'broken' | 'unread';

/**
 * Like `pipe`, but it tells apart the ends that `stream.pipeline` does not. If the source breaks off, the
 * sink stays open, because its end would look like the data's end. If the sink closes, the source is
 * destroyed. Never rejects.
 */
export const pump = (from: Readable, to: Writable): Promise<Pumped> =>
  new Promise((resolve) => {
    const settle = (how: Pumped): void => {
      from.off('end', onEnd).off('close', onFromClose);
      to.off('close', onToClose).off('error', onToClose);
      from.unpipe(to);
      if (how === 'unread') from.destroy();
      resolve(how);
    };
    const onEnd = (): void => {
      to.end();
      settle('ended');
    };
    const onFromClose = (): void => settle('broken');
    const onToClose = (): void => settle('unread');
    from.once('end', onEnd).once('close', onFromClose);
    to.once('close', onToClose).once('error', onToClose);
    // An error may follow the end. These listeners stay, as both streams live no longer than the call.
    from.on('error', () => undefined);
    to.on('error', () => undefined);
    if (from.destroyed) settle(from.readableEnded ? 'ended' : 'broken');
    else if (to.destroyed) settle('unread');
    else from.pipe(to, { end: false });
  });

/**
 * Copies a service's output. The sink ends even if the source breaks off: the exit status reports the
 * failure.
 */
export const pumpOut = async (from: Readable, to: Writable): Promise<Pumped> => {
  const how = await pump(from, to);
  if (how === 'broken') to.end();
  return how;
};

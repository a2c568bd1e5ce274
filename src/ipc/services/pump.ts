/** One direction of a call. */
import type { Readable, Writable } from 'node:stream';

/** How it ended: all was passed on; the source broke off before its end; or the sink takes no more. */
export type Pumped = 'ended' | 'broken' | 'unread';

/**
 * As `pipe`, with ends that `stream.pipeline` does not tell apart: a source that broke off leaves its sink open, since
 * an end there would pass for the data's; a sink that takes no more destroys the source. Never rejects.
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
    // An error may follow the end; both streams live no longer than the call.
    from.on('error', () => undefined);
    to.on('error', () => undefined);
    if (from.destroyed) settle(from.readableEnded ? 'ended' : 'broken');
    else if (to.destroyed) settle('unread');
    else from.pipe(to, { end: false });
  });

/** For what a service says: its end is passed on whatever it came from, since the exit status tells the rest. */
export const pumpOut = async (from: Readable, to: Writable): Promise<Pumped> => {
  const how = await pump(from, to);
  if (how === 'broken') to.end();
  return how;
};

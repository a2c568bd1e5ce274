/** A call that ended before any of its frames was sent. */
import { Readable, Writable } from 'node:stream';
import { brokenPipe, ChannelError, type Outcome, type OutgoingCall } from './call.ts';

export const settledCall = (outcome: Outcome): OutgoingCall => {
  const stdin = new Writable();
  stdin.on('error', () => {}).destroy(brokenPipe());
  const output = () => {
    const readable = new Readable({ read: () => {} }).on('error', () => {});
    // As over a link: a refused call has empty outputs, and a lost call has incomplete ones.
    if (outcome.kind === 'lost') readable.destroy(new ChannelError('LINK_LOST', outcome.reason));
    else readable.push(null);
    return readable;
  };
  return {
    stdin,
    stdout: output(),
    stderr: output(),
    outcome: Promise.resolve(outcome),
    cancel: () => {},
  };
};

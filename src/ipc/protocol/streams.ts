/** A link's streams: their ids, and the limit on open ones. */
import type { CallRequest, IncomingCall, OutgoingCall } from './call.ts';
import type { LinkResources } from './channels.ts';
import { type CloseReason, Violation } from './close-reason.ts';
import type { FrameName } from './frame.ts';
import { type IncomingStream, openIncomingStream } from './incoming-stream.ts';
import { maxStreams } from './limits.ts';
import { type OutgoingStream, openOutgoingStream } from './outgoing-stream.ts';
import { invalidRequestReason, readRequest } from './request.ts';
import { settledCall } from './settled-call.ts';

export type Streams = {
  /**
   * Opens a stream for a call.
   * @throws TypeError on an invalid request
   */
  readonly open: (request: CallRequest, close: (reason: CloseReason) => void) => OutgoingCall;
  /**
   * Passes a frame to its stream. Returns false if the frame was a call that is refused at once.
   * @throws Violation
   */
  readonly receive: (name: FrameName, stream: number, payload: Buffer) => boolean;
  /** Ends all calls as lost, because the link is over. */
  readonly lose: (reason: string) => void;
  readonly count: () => number;
};

const largestId = 0xffff_ffff;

/** @throws Violation if the peer may not open this stream */
const checkNew = (name: FrameName, id: number, last: number, open: number): void => {
  if (id <= last) throw new Violation('stream-id', `${name} of ${id} after ${last}`);
  if (open === maxStreams) throw new Violation('streams', `more than ${maxStreams} open streams`);
};

export const openStreams = (
  link: LinkResources,
  role: 'server' | 'client',
  onCall: (call: IncomingCall) => void,
): Streams => {
  const ours = role === 'server' ? 0 : 1;
  const outgoing = new Map<number, OutgoingStream>();
  const incoming = new Map<number, IncomingStream>();
  let nextId = role === 'server' ? 2 : 1;
  let lastIncoming = 0;
  /** The streams that this side has opened and not yet released. */
  let held = 0;
  let lost: string | undefined;

  const open = (request: CallRequest, close: (reason: CloseReason) => void): OutgoingCall => {
    const reason = invalidRequestReason(request);
    if (reason !== undefined) throw new TypeError(reason);
    if (nextId > largestId) close({ code: 'exhausted', text: 'all stream ids were used' });
    if (lost !== undefined) return settledCall({ kind: 'lost', reason: lost });
    if (held === maxStreams) {
      const text = `${maxStreams} calls are open over this link`;
      return settledCall({ kind: 'refused', refusal: { code: 'busy', text } });
    }
    const id = nextId;
    nextId += 2;
    held += 1;
    const stream = openOutgoingStream(
      link,
      id,
      request,
      () => outgoing.delete(id),
      () => {
        held -= 1;
      },
    );
    outgoing.set(id, stream);
    return stream.call;
  };

  const accept = (name: 'open' | 'vouch', id: number, payload: Buffer): boolean => {
    checkNew(name, id, lastIncoming, incoming.size);
    const request = readRequest(name, payload);
    lastIncoming = id;
    const stream = openIncomingStream(link, id, request, () => incoming.delete(id));
    incoming.set(id, stream);
    onCall(stream.call);
    return !stream.isRefused();
  };

  const receive = (name: FrameName, id: number, payload: Buffer): boolean => {
    const isOurs = id % 2 === ours;
    if (name === 'open' || name === 'vouch') {
      if (isOurs) throw new Violation('stream-id', `${name} of ${id}, which is ours to open`);
      return accept(name, id, payload);
    }
    const stream = isOurs ? outgoing.get(id) : incoming.get(id);
    if (stream === undefined) throw new Violation('state', `${name} on ${id}, which is not open`);
    stream.receive(name, payload);
    return true;
  };

  const lose = (reason: string): void => {
    lost = reason;
    for (const stream of [...outgoing.values(), ...incoming.values()]) stream.lose(reason);
    outgoing.clear();
    incoming.clear();
    held = 0;
  };

  return { open, receive, lose, count: () => outgoing.size + incoming.size };
};

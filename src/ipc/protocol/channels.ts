/** A call's three channels, and their CREDIT and STOP frames. */
import { Violation } from './close-reason.ts';
import type { Inbound } from './inbound.ts';
import type { Outbound } from './outbound.ts';
import type { Outbox } from './outbox.ts';
import type { Scheduler } from './scheduler.ts';
import type { GrowthBudget } from './window.ts';

/** The parts of a link that its streams share. */
export type LinkResources = {
  readonly outbox: Outbox;
  readonly scheduler: Scheduler;
  readonly budget: GrowthBudget;
};

/** A channel's number in CREDIT and STOP is its index in this list. */
const channels = ['stdin', 'stdout', 'stderr'] as const;

type Channel = (typeof channels)[number];

const credit = (channel: Channel, bytes: number): Buffer => {
  const payload = Buffer.allocUnsafe(5);
  payload[0] = channels.indexOf(channel);
  payload.writeUInt32LE(bytes, 1);
  return payload;
};

/** Sends the CREDIT or STOP that is due for a channel. */
export const sendReadiness = (
  outbox: Outbox,
  stream: number,
  channel: Channel,
  inbound: Inbound,
): void => {
  const granted = inbound.takeGrant();
  if (granted > 0) outbox.frame('credit', stream, credit(channel, granted));
  if (inbound.takeStop()) outbox.frame('stop', stream, Buffer.from([channels.indexOf(channel)]));
};

/**
 * Applies a CREDIT or STOP from the peer to a sending end.
 * @throws Violation on a channel that this side does not send
 */
export const takeReadiness = (
  name: 'credit' | 'stop',
  payload: Buffer,
  outbounds: Readonly<Partial<Record<Channel, Outbound>>>,
): void => {
  const channel = channels[payload[0] ?? channels.length];
  if (channel === undefined) throw new Violation('payload', `${name} for channel ${payload[0]}`);
  const outbound = outbounds[channel];
  if (outbound === undefined) {
    throw new Violation('direction', `${name} for ${channel} from its sender`);
  }
  if (name === 'credit') outbound.grant(payload.readUInt32LE(1));
  else outbound.stop();
};

/** Pings: they measure the round trip and detect a dead peer. */
import type { Clock } from '../../system/clock.ts';
import { Violation } from './close-reason.ts';
import { pingMs, silentPings } from './limits.ts';
import type { Outbox } from './outbox.ts';
import { notWaiting, type Scheduler, type Sender } from './scheduler.ts';

type Heartbeat = {
  /** Notes that data came from the peer. */
  readonly heard: () => void;
  /**
   * Answers a PING.
   * @throws Violation on a second PING before the answer to the first
   */
  readonly ping: (payload: Buffer) => void;
  /**
   * Takes a PONG.
   * @throws Violation on a PONG without its PING
   */
  readonly pong: (payload: Buffer) => void;
  readonly rttMs: () => number | undefined;
  readonly stop: () => void;
};

/**
 * Sends a PING every `pingMs`, unless one is unanswered.
 * @param onHung called when nothing came for 6 s
 */
export const startHeartbeat = (
  outbox: Outbox,
  scheduler: Scheduler,
  clock: Clock,
  onHung: () => void,
): Heartbeat => {
  let silence = 0;
  let serial = 0;
  let asked: { readonly payload: Buffer; readonly at: number } | undefined;
  let askDue = false;
  let answer: Buffer | undefined;
  let rtt: number | undefined;

  const sender: Sender = {
    waits: notWaiting(),
    sendControl: () => {
      if (answer !== undefined) outbox.frame('pong', 0, answer);
      answer = undefined;
      if (!askDue) return;
      askDue = false;
      const payload = Buffer.alloc(8);
      payload.writeUInt32LE(++serial, 0);
      asked = { payload, at: clock.now() };
      outbox.frame('ping', 0, payload);
    },
    sendData: () => false,
  };

  // Ticks are counted, not milliseconds: while this process is suspended, the peer does not count as silent.
  const timer = clock
    .every(pingMs, () => {
      silence += 1;
      if (silence > silentPings) onHung();
      else if (asked === undefined) {
        askDue = true;
        scheduler.wantControl(sender);
      }
    })
    .unref();

  return {
    heard: () => {
      silence = 0;
    },
    ping: (payload) => {
      if (answer !== undefined) throw new Violation('state', 'ping before the answer to another');
      answer = Buffer.from(payload);
      scheduler.wantControl(sender);
    },
    pong: (payload) => {
      if (!asked?.payload.equals(payload)) throw new Violation('state', 'pong without its ping');
      rtt = clock.now() - asked.at;
      asked = undefined;
    },
    rttMs: () => rtt,
    stop: timer.cancel,
  };
};

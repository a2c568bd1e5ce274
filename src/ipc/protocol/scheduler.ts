/** Decides which stream sends next: control frames go first, then one data frame per stream in turn. */
import type { Outbox } from './outbox.ts';

export type Sender = {
  /** Whether the sender waits for its turn. Only the scheduler changes it. */
  readonly waits: { control: boolean; data: boolean };
  /** Sends all control frames that are due. */
  readonly sendControl: () => void;
  /** Sends at most one frame. Returns true if more can be sent at once. */
  readonly sendData: () => boolean;
};

/** The initial value of `waits`. */
export const notWaiting = (): Sender['waits'] => ({ control: false, data: false });

export type Scheduler = {
  readonly wantControl: (sender: Sender) => void;
  readonly wantData: (sender: Sender) => void;
  /** Starts to send. */
  readonly start: () => void;
  /** Stops for good. */
  readonly stop: () => void;
  /** Sends while the outbox has room. */
  readonly run: () => void;
};

/** A queue in rounds: a sender that is added during a round has its turn in the next round. */
const createRounds = () => {
  let current: Sender[] = [];
  let next: Sender[] = [];
  let at = 0;
  return {
    add: (sender: Sender): void => {
      next.push(sender);
    },
    take: (): Sender | undefined => {
      if (at >= current.length) {
        current.length = 0;
        [current, next] = [next, current];
        at = 0;
      }
      return current[at++];
    },
  };
};

export const createScheduler = (outbox: Outbox): Scheduler => {
  const control = createRounds();
  const data = createRounds();
  let going = false;
  let due = false;

  const sendOne = (): boolean => {
    const urgent = control.take();
    if (urgent !== undefined) {
      urgent.waits.control = false;
      urgent.sendControl();
      return true;
    }
    const sender = data.take();
    if (sender === undefined) return false;
    sender.waits.data = false;
    if (sender.sendData() && !sender.waits.data) {
      sender.waits.data = true;
      data.add(sender);
    }
    return true;
  };

  const run = (): void => {
    due = false;
    if (!going) return;
    while (outbox.hasRoom() && sendOne());
    outbox.flush();
  };

  /** Sends at the end of the tick, so that the frames of one tick go out together. */
  const runSoon = (): void => {
    if (due || !going) return;
    due = true;
    process.nextTick(run);
  };

  return {
    wantControl: (sender) => {
      if (sender.waits.control) return;
      sender.waits.control = true;
      control.add(sender);
      runSoon();
    },
    wantData: (sender) => {
      if (sender.waits.data) return;
      sender.waits.data = true;
      data.add(sender);
      runSoon();
    },
    start: () => {
      going = true;
      runSoon();
    },
    stop: () => {
      going = false;
    },
    run,
  };
};

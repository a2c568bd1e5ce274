/** Whose turn it is to send: control frames first, then one frame of each stream in turn. */
import type { Outbox } from './outbox.ts';

export type Sender = {
  /** Kept by the scheduler: whether the sender waits for its turn. */
  readonly waits: { control: boolean; data: boolean };
  /** Sends all control frames that are due. */
  readonly sendControl: () => void;
  /** Sends at most one frame. True if there is more to send at once. */
  readonly sendData: () => boolean;
};

export const notWaiting = (): Sender['waits'] => ({ control: false, data: false });

export type Scheduler = {
  readonly wantControl: (sender: Sender) => void;
  readonly wantData: (sender: Sender) => void;
  /** Lets frames go from now on. */
  readonly start: () => void;
  /** Nothing more is sent. */
  readonly stop: () => void;
  /** Sends as long as there is room. */
  readonly run: () => void;
};

/** A queue in rounds: who is added while a round goes on has its turn in the next one. */
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

  /** At the end of the tick, so that what comes together goes together. */
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

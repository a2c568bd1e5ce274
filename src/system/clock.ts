/** The clock and the timers that concurrent code takes as a parameter: its tests run without real time. */

export type Timer = {
  /** Stops the timer; does nothing if it has fired already. */
  readonly cancel: () => void;
  /** Lets the process exit while the timer still runs. Returns the timer itself. */
  readonly unref: () => Timer;
};

export type Clock = {
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Calls back once, after `ms` milliseconds. */
  readonly after: (ms: number, callback: () => void) => Timer;
  /** Calls back every `ms` milliseconds, until the timer is cancelled. */
  readonly every: (ms: number, callback: () => void) => Timer;
};

const timerOf = (handle: NodeJS.Timeout, cancel: () => void): Timer => {
  const timer: Timer = {
    cancel,
    unref: () => {
      handle.unref();
      return timer;
    },
  };
  return timer;
};

/** Resolves after `ms`. The timer keeps the process alive. */
export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => {
    clock.after(ms, resolve);
  });

/** The clock of this process. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, callback) => {
    const handle = setTimeout(callback, ms);
    return timerOf(handle, () => clearTimeout(handle));
  },
  every: (ms, callback) => {
    const handle = setInterval(callback, ms);
    return timerOf(handle, () => clearInterval(handle));
  },
};

/** So many log lines for one peer and no more: what it does must not fill the disk. */

/** A call makes two lines: this allows for a burst of some, and for one each tenth of a second on and on. */
const burst = 200;
const linesPerSecond = 20;

/** Runs `write`, or counts it; `write` is told how many lines were left out since the last one, if any were. */
export type Spend = (peer: string, write: (suppressed: number | undefined) => void) => void;

/** @param now in ms */
export const openLogBudget = (now: () => number): Spend => {
  const accounts = new Map<string, { lines: number; at: number; suppressed: number }>();
  return (peer, write) => {
    const account = accounts.get(peer) ?? { lines: burst, at: now(), suppressed: 0 };
    accounts.set(peer, account);
    const earned = ((now() - account.at) / 1000) * linesPerSecond;
    account.lines = Math.min(burst, account.lines + earned);
    account.at = now();
    if (account.lines < 1) {
      account.suppressed += 1;
      return;
    }
    account.lines -= 1;
    write(account.suppressed || undefined);
    account.suppressed = 0;
  };
};

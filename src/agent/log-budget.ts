/** So many log lines for one peer and no more: what it does must not fill the disk. */

/** A call makes two lines: this allows for a burst of some, and for one each tenth of a second on and on. */
const burst = 200;
const linesPerSecond = 20;

/** A relay could vouch for more and more names: those that come after so many share one account. */
const mostAccounts = 256;

/** Runs `write`, or counts it; `write` is told how many lines were left out since the last one, if any were. */
export type Spend = (peer: string, write: (suppressed: number | undefined) => void) => void;

type Account = { lines: number; at: number; suppressed: number };

/** @param now in ms */
export const openLogBudget = (now: () => number): Spend => {
  const accounts = new Map<string, Account>();

  const earn = (account: Account): void => {
    const earned = ((now() - account.at) / 1000) * linesPerSecond;
    account.lines = Math.min(burst, account.lines + earned);
    account.at = now();
  };

  /** What is as a new one would be need not be kept. */
  const forget = (): void => {
    for (const [peer, account] of accounts) {
      earn(account);
      if (account.lines === burst) accounts.delete(peer);
    }
  };

  const accountOf = (peer: string): Account => {
    const known = accounts.get(peer);
    if (known !== undefined) return known;
    if (accounts.size >= mostAccounts) forget();
    const name = accounts.size < mostAccounts ? peer : 'others';
    const account = accounts.get(name) ?? { lines: burst, at: now(), suppressed: 0 };
    accounts.set(name, account);
    return account;
  };

  return (peer, write) => {
    const account = accountOf(peer);
    earn(account);
    if (account.lines < 1) {
      account.suppressed += 1;
      return;
    }
    account.lines -= 1;
    write(account.suppressed || undefined);
    account.suppressed = 0;
  };
};

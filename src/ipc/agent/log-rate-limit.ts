/** So many log lines for one peer and no more: what it does must not fill the disk. */

/** A call makes two lines: this allows for a burst of some, and for one each tenth of a second on and on. */
const burst = 200;
const linesPerSecond = 20;

/** A relay could vouch for more and more names: those that come after so many share one account. */
const mostAccounts = 256;

/** All that a relay vouches for has as much as so many peers: as many may make all the noise they can before others go unheard. */
const relaySize = 5;

/**
 * Runs `write`, or counts it; `write` is told how many lines were left out since the last one, if any were.
 * @param relay whose word the peer's name is, if it is somebody's: it has an account, too
 */
export type Spend = (
  peer: string,
  write: (suppressed: number | undefined) => void,
  relay?: string,
) => void;

type Account = { readonly size: number; lines: number; at: number; suppressed: number };

/** @param now in ms */
export const openLogBudget = (now: () => number): Spend => {
  const accounts = new Map<string, Account>();

  const earn = (account: Account): void => {
    const earned = ((now() - account.at) / 1000) * linesPerSecond * account.size;
    account.lines = Math.min(burst * account.size, account.lines + earned);
    account.at = now();
  };

  /** What is as a new one would be need not be kept. */
  const forget = (): void => {
    for (const [name, account] of accounts) {
      earn(account);
      if (account.lines === burst * account.size) accounts.delete(name);
    }
  };

  const accountOf = (name: string, size = 1): Account => {
    const account = accounts.get(name) ?? { size, lines: burst * size, at: now(), suppressed: 0 };
    accounts.set(name, account);
    earn(account);
    return account;
  };

  /** Those without a relay are as few as there are links and users, and each has its own. */
  const relayedAccountOf = (peer: string, relay: string): Account => {
    const own = `${peer} via ${relay}`;
    if (!accounts.has(own) && accounts.size >= mostAccounts) forget();
    const hasPlace = accounts.has(own) || accounts.size < mostAccounts;
    return accountOf(hasPlace ? own : `others via ${relay}`);
  };

  return (peer, write, relay) => {
    const account = relay === undefined ? accountOf(peer) : relayedAccountOf(peer, relay);
    const charged = [account];
    if (relay !== undefined) charged.push(accountOf(`all via ${relay}`, relaySize));
    if (charged.some(({ lines }) => lines < 1)) {
      account.suppressed += 1;
      return;
    }
    for (const each of charged) each.lines -= 1;
    write(account.suppressed || undefined);
    account.suppressed = 0;
  };
};

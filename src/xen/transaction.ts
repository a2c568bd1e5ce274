/** Transactions on one connection: one at a time, and again if another's change got in between. */
import { setTimeout as delay } from 'node:timers/promises';

declare const transaction: unique symbol;
/** Names an open transaction; good until the body that it was given to has ended. */
export type Transaction = number & { readonly [transaction]: true };

/** How often a body runs at most before the conflict is reported. */
const maxAttempts = 8;

type Ends = {
  readonly begin: () => Promise<Transaction>;
  /** Rejects with `code` EAGAIN if something that the transaction read or wrote has changed. */
  readonly commit: (tx: Transaction) => Promise<void>;
  readonly abort: (tx: Transaction) => Promise<void>;
};

const isConflict = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN';

/** Up to 2, 4, 8… ms, so that two that conflict do not meet again and again. */
const backoff = (attempt: number): Promise<void> => delay(Math.random() * 2 ** attempt);

const commits = async (ends: Ends, tx: Transaction, attempt: number): Promise<boolean> => {
  try {
    await ends.commit(tx);
    return true;
  } catch (error) {
    if (!isConflict(error) || attempt === maxAttempts) throw error;
    return false;
  }
};

const attempts = async <T>(ends: Ends, body: (tx: Transaction) => Promise<T>): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    const tx = await ends.begin();
    let result: T;
    try {
      result = await body(tx);
    } catch (error) {
      // What the body threw is what counts, not how the store takes the abort.
      await ends.abort(tx).catch(() => {});
      throw error;
    }
    if (await commits(ends, tx, attempt)) return result;
    await backoff(attempt);
  }
};

/**
 * Makes the `transaction` function of a connection. Bodies run one after the other, as the store
 * allows a domain ten open transactions, which it shares with its kernel.
 */
export const serialTransactions = (ends: Ends) => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    const result = last.then(() => attempts(ends, body));
    last = result.catch(() => {});
    return result;
  };
};

/** Runs transactions on one connection, one at a time, and repeats a transaction after a conflict. */
import { sleep, systemClock } from '../system/clock.ts';

declare const transaction: unique symbol;
/** An open transaction's id, valid until the body that got it has ended. */
export type Transaction = number & { readonly [transaction]: true };

/** A body runs at most this often; then the conflict is reported. */
const maxAttempts = 8;

type Ends = {
  readonly begin: () => Promise<Transaction>;
  /** Rejects with `code` EAGAIN if another client has changed a node that the transaction used. */
  readonly commit: (tx: Transaction) => Promise<void>;
  readonly abort: (tx: Transaction) => Promise<void>;
};

const isConflict = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'EAGAIN';

/** Waits up to 2, 4, 8… ms at random, so that two clients do not conflict again and again. */
const backoff = (attempt: number): Promise<void> =>
  sleep(systemClock, Math.random() * 2 ** attempt);

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
      // The caller gets the body's error, whether or not the abort succeeds.
      await ends.abort(tx).catch(() => {});
      throw error;
    }
    if (await commits(ends, tx, attempt)) return result;
    await backoff(attempt);
  }
};

/**
 * Makes a connection's `transaction` function. Bodies run one after another: xenstored allows a domain ten
 * open transactions, which we share with our kernel.
 */
export const serialTransactions = (ends: Ends) => {
  let last: Promise<unknown> = Promise.resolve();
  return <T>(body: (tx: Transaction) => Promise<T>): Promise<T> => {
    const result = last.then(() => attempts(ends, body));
    last = result.catch(() => {});
    return result;
  };
};

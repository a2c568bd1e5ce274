/** Limits the log lines per peer, so that no peer can fill the disk. */
import { type LogBudget, openLogBudget } from '../../system/log-budget.ts';

/** A call writes two lines: this allows 100 calls at once. */
const burst = 200;

/** A relay can vouch for any number of names. Beyond this number of budgets, new names share one budget. */
const mostBudgets = 256;

/**
 * All sources of a relay together may log as much as this number of peers: a few noisy ones do not silence
 * the rest.
 */
const relaySize = 5;

/**
 * Calls `write` if the peer's budget has a line left, and otherwise counts a suppressed line. `write` receives
 * the number of lines suppressed since the last written one, or undefined for none.
 * @param relay the relay that vouches for the peer's name; it has a budget too
 */
export type RateLimitLog = (
  peer: string,
  write: (suppressed: number | undefined) => void,
  relay?: string,
) => void;

/** @param now the current time in ms */
export const openLogRateLimit = (now: () => number): RateLimitLog => {
  const budgets = new Map<string, LogBudget>();

  const dropFullBudgets = (): void => {
    for (const [name, budget] of budgets) if (budget.isFull()) budgets.delete(name);
  };

  const budgetOf = (name: string, sources = 1): LogBudget => {
    const budget = budgets.get(name) ?? openLogBudget(burst, now, sources);
    budgets.set(name, budget);
    return budget;
  };

  /**
   * Limits the budgets of relayed peers. The others need no limit: there are only as many as links and users.
   */
  const relayedBudgetOf = (peer: string, relay: string): LogBudget => {
    const own = `${peer} via ${relay}`;
    if (!budgets.has(own) && budgets.size >= mostBudgets) dropFullBudgets();
    const hasPlace = budgets.has(own) || budgets.size < mostBudgets;
    return budgetOf(hasPlace ? own : `others via ${relay}`);
  };

  return (peer, write, relay) => {
    const budget = relay === undefined ? budgetOf(peer) : relayedBudgetOf(peer, relay);
    const ofRelay = relay === undefined ? undefined : budgetOf(`all via ${relay}`, relaySize);
    if (!budget.isLeft() || ofRelay?.isLeft() === false) return budget.suppress();
    ofRelay?.take();
    write(budget.take());
  };
};

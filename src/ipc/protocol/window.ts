/** Credit, as the receiving end of a channel keeps it. All in bytes. */
import { Violation } from './close-reason.ts';
import { growthBudget, initialWindow, maxWindow } from './limits.ts';

/** What the windows of a link may still grow by. */
export type GrowthBudget = { left: number };

export const fullBudget = (): GrowthBudget => ({ left: growthBudget });

export type ReceiveWindow = {
  size: number;
  /** What the sender may still send. */
  open: number;
  /** What the consumer took since the last grant. */
  taken: number;
  /** The sender had to wait for us: a larger window would help. */
  usedUp: boolean;
};

export const newWindow = (): ReceiveWindow => ({
  size: initialWindow,
  open: initialWindow,
  taken: 0,
  usedUp: false,
});

/** Throws a Violation if the sender had no credit for it. */
export const receive = (window: ReceiveWindow, bytes: number): void => {
  if (bytes > window.open) {
    throw new Violation('credit', `${bytes} bytes sent on a credit of ${window.open}`);
  }
  window.open -= bytes;
  if (window.open === 0) window.usedUp = true;
};

/** Whether a grant is due: smaller ones than half a window would cost more than they help. */
export const take = (window: ReceiveWindow, bytes: number): boolean => {
  window.taken += bytes;
  return window.taken >= window.size / 2;
};

/** What to grant now. A window that was used up doubles while the budget lasts. */
export const grant = (window: ReceiveWindow, budget: GrowthBudget): number => {
  const growth =
    window.usedUp && window.size < maxWindow && window.size <= budget.left ? window.size : 0;
  budget.left -= growth;
  window.size += growth;
  const granted = window.taken + growth;
  window.open += granted;
  window.taken = 0;
  window.usedUp = false;
  return granted;
};

export const giveBack = (window: ReceiveWindow, budget: GrowthBudget): void => {
  budget.left += window.size - initialWindow;
  window.size = initialWindow;
};

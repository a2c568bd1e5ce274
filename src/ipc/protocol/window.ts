/** The credit account of a channel's receiving end. All numbers are bytes. */
import { Violation } from './close-reason.ts';
import { growthBudget, initialWindow, maxWindow } from './limits.ts';

/** The bytes by which a link's windows may still grow. */
export type GrowthBudget = { left: number };

export const fullBudget = (): GrowthBudget => ({ left: growthBudget });

type ReceiveWindow = {
  size: number;
  /** The bytes that the sender may still send. */
  open: number;
  /** The bytes that the consumer took since the last grant. */
  taken: number;
  /** Whether the sender ran out of credit: a larger window would help. */
  usedUp: boolean;
};

export const newWindow = (): ReceiveWindow => ({
  size: initialWindow,
  open: initialWindow,
  taken: 0,
  usedUp: false,
});

/**
 * Counts received bytes.
 * @throws Violation if the sender's credit does not suffice
 */
export const receive = (window: ReceiveWindow, bytes: number): void => {
  if (bytes > window.open) {
    throw new Violation('credit', `${bytes} bytes sent on a credit of ${window.open}`);
  }
  window.open -= bytes;
  if (window.open === 0) window.usedUp = true;
};

/**
 * Counts consumed bytes. Returns whether a grant is due: grants below half a window would cost too many
 * frames.
 */
export const take = (window: ReceiveWindow, bytes: number): boolean => {
  window.taken += bytes;
  return window.taken >= window.size / 2;
};

/** Returns the credit to grant now. A window that was used up doubles while the budget lasts. */
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

/** Gives the window's growth back to the budget. */
export const giveBack = (window: ReceiveWindow, budget: GrowthBudget): void => {
  budget.left += window.size - initialWindow;
  window.size = initialWindow;
};

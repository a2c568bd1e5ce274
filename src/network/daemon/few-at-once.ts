/** Work for each of several items, of which few run at the same time. */

import { from, lastValueFrom, mergeMap } from 'rxjs';

/** The number of programs that run at the same time for items whose common program failed. */
const mostAtOnce = 4;

/** Does the work for each item; one that hangs delays only itself, as long as fewer than four hang. */
export const forEachOf = async <Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> => {
  await lastValueFrom(from(items).pipe(mergeMap(work, mostAtOnce)), { defaultValue: undefined });
};

/** Rows and columns for a terminal. */
import Table from 'cli-table3';

/** Columns and nothing else: greppable, and no wider than it must be. */
const plain = {
  chars: Object.fromEntries(
    [
      ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
      ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
    ].map((part) => [part, '']),
  ),
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
};

/** Without borders; rows as wide as the head. */
export const plainTable = (head: string[], rows: string[][]): string => {
  const lines = new Table({ ...plain, head });
  lines.push(...rows);
  return lines.toString().replaceAll(/ +$/gm, '');
};

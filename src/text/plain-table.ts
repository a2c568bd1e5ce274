/** Tables for a terminal. */
import Table from 'cli-table3';

/** Columns without borders, as narrow as their content, so that grep and cut can read them. */
const plain = {
  chars: Object.fromEntries(
    [
      ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left'],
      ...['bottom-right', 'left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid', 'middle'],
    ].map((part) => [part, '']),
  ),
  style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
};

/** Formats a table without borders. Each row has as many cells as the head. */
export const plainTable = (head: string[], rows: string[][]): string => {
  const lines = new Table({ ...plain, head });
  lines.push(...rows);
  return lines.toString().replaceAll(/ +$/gm, '');
};

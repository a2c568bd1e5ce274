/** Returns "1 rule" or "2 rules" for the noun "rule". */
export const pluralize = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

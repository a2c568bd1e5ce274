/** Compares texts by their UTF-16 code units, for sort(): the order is the same in every locale. */
export const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

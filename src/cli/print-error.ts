/** Prints a line on standard error, under the program's name. */
export const printError = (text: string): void => {
  process.stderr.write(`vifwatch: ${text}\n`);
};

/** Evaluates the output of a dynamic loader that lists a file's libraries. */
import type { Finished } from '../../system/command.ts';

/** The messages of glibc (the first three) and musl about a missing library. */
const missing = [
  / => not found/,
  /version .* not found/,
  /error while loading/,
  /^Error loading shared library/,
];

/**
 * Musl also resolves symbols. A library for Node uses Node's own symbols, and Node is not loaded during the
 * check.
 */
const unresolved = /^Error relocating /;

/**
 * Returns the loader's first complaint; undefined if it found everything.
 * @param isProgram false for a library, whose unresolved symbols are ignored
 */
export const missingLibrary = (
  { stdout, stderr, status }: Finished,
  isProgram: boolean,
): string | undefined => {
  const said = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  const lines = said.filter((line) => line !== '' && (isProgram || !unresolved.test(line)));
  const complaint = lines.find((line) =>
    [...missing, unresolved].some((pattern) => pattern.test(line)),
  );
  // Glibc puts the program's path before its message.
  if (complaint !== undefined) return complaint.replace(/^.*?: (?=error while)/, '');
  const isExplained = status === 0 || said.some((line) => unresolved.test(line));
  return isExplained ? undefined : (lines[0] ?? `its loader ended with exit status ${status}`);
};

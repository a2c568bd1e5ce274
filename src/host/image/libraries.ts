/** What a dynamic loader says when it is asked to list a file's libraries. */
import type { Finished } from '../../system/command.ts';

/** How glibc (the first three) and musl name what they lack. */
const missing = [
  / => not found/,
  /version .* not found/,
  /error while loading/,
  /^Error loading shared library/,
];

/** musl looks for symbols, too; those of a library that Node loads are Node's own, which is not there then. */
const unresolved = /^Error relocating /;

/** The first complaint; undefined if everything was found. @param isProgram if not, it is a library */
export const missingLibrary = (
  { stdout, stderr, status }: Finished,
  isProgram: boolean,
): string | undefined => {
  const said = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  const lines = said.filter((line) => line !== '' && (isProgram || !unresolved.test(line)));
  const complaint = lines.find((line) =>
    [...missing, unresolved].some((pattern) => pattern.test(line)),
  );
  // glibc begins with the path.
  if (complaint !== undefined) return complaint.replace(/^.*?: (?=error while)/, '');
  const isExplained = status === 0 || said.some((line) => unresolved.test(line));
  return isExplained ? undefined : (lines[0] ?? `its loader ended with exit status ${status}`);
};

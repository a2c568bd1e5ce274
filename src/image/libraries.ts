/** What a dynamic loader says when it is asked to list a file's libraries. */
import type { Finished } from '../net/command.ts';

/** How glibc (first) and musl name what they lack; both say the rest of it in the same line. */
const complaints = [/=> not found/, /^Error (loading|relocating) /, /error while loading/];

/** The first complaint; undefined if everything was found. */
export const missingLibrary = ({ stdout, stderr, status }: Finished): string | undefined => {
  const lines = `${stdout}\n${stderr}`.split('\n').map((line) => line.trim());
  const complaint = lines.find((line) => complaints.some((pattern) => pattern.test(line)));
  // glibc repeats the path.
  if (complaint !== undefined) return complaint.replace(/^.*?: (?=error while)/, '');
  if (status === 0) return undefined;
  return lines.find((line) => line !== '') ?? `its loader ended with exit status ${status}`;
};

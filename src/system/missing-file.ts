/** The error of node:fs and node:net for a file, directory or socket path that does not exist. */

export const isMissingFile = (error: unknown): boolean =>
  (error as NodeJS.ErrnoException).code === 'ENOENT';

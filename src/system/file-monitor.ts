/** Tells that files in a directory have changed. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Observable } from 'rxjs';

const open = (directory: string, changed: (file: string | null) => void): FSWatcher | undefined => {
  try {
    // A watch that breaks is renewed with the next change that the other one sees.
    return watch(directory, (_, file) => changed(file)).on('error', () => {});
  } catch {
    return undefined;
  }
};

/**
 * Emits at every change in `directory`, and when it comes or goes, as far as its parent is there: else only
 * SIGHUP is left. Never errors.
 */
export const watchFiles = (directory: string): Observable<void> =>
  new Observable((changes) => {
    let inner = open(directory, () => changes.next());
    const outer = open(dirname(directory), (file) => {
      if (file !== basename(directory)) return;
      inner?.close();
      inner = open(directory, () => changes.next());
      changes.next();
    });
    return () => {
      inner?.close();
      outer?.close();
    };
  });

/** Watches the files in a directory. */
import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Observable } from 'rxjs';

const open = (directory: string, changed: (file: string | null) => void): FSWatcher | undefined => {
  try {
    // The watch on the parent renews a broken inner watch when the directory itself changes.
    return watch(directory, (_, file) => changed(file)).on('error', () => {});
  } catch {
    return undefined;
  }
};

/**
 * Emits at every change in `directory`, and when it is created or removed if its parent exists at the time
 * of the call. Without a parent nothing is emitted, and only SIGHUP reloads the files. Never errors.
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

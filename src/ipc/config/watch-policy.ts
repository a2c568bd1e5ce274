/** The policy as it is now, and again whenever its files have changed. */
import { resolve } from 'node:path';
import { auditTime, concatMap, merge, Observable, of, Subject, Subscription } from 'rxjs';
import { watchFiles } from '../../system/file-monitor.ts';
import { type LoadedPolicy, loadPolicy } from './load-policy.ts';

/** An editor makes several changes at once; and never longer than this, however many there are. */
const editMs = 50;

/**
 * Emits at once and after each change; a policy with anything wrong in it takes the place of the one before, and
 * denies everything until it is mended. Never errors.
 * @param nudges asks to look again, for changes that cannot be seen
 */
export const watchPolicy = (
  directory: string,
  nudges: Observable<unknown>,
): Observable<LoadedPolicy> =>
  new Observable((policies) => {
    const edits = new Subject<unknown>();
    const watches = new Subscription();
    const watched = new Set<string>();
    const attend = (directories: readonly string[]): boolean => {
      const fresh = directories.filter((path) => !watched.has(path));
      for (const path of fresh) {
        watched.add(path);
        watches.add(watchFiles(path).subscribe((change) => edits.next(change)));
      }
      return fresh.length > 0;
    };
    // What was not yet watched while it was read is read again, lest a change in between be missed.
    const load = async (): Promise<LoadedPolicy> => {
      const loaded = await loadPolicy(directory);
      return attend(loaded.directories) ? await load() : loaded;
    };
    attend([resolve(directory)]);
    watches.add(
      merge(of(undefined), edits.pipe(auditTime(editMs)), nudges)
        .pipe(concatMap(load))
        .subscribe(policies),
    );
    return watches;
  });

/** Watches a policy, and loads it again when its files change. */
import { resolve } from 'node:path';
import { auditTime, concatMap, merge, Observable, of, Subject, Subscription } from 'rxjs';
import { watchFiles } from '../../system/file-monitor.ts';
import { type LoadedPolicy, loadPolicy } from './load-policy.ts';

/** The wait after a change, because an editor makes several at once. Further changes do not extend it. */
const editMs = 50;

/**
 * Emits the policy at once and after each change. An invalid policy also replaces the previous one, and
 * denies every call until it is corrected. Never errors.
 * @param nudges each one loads the policy again, for changes that a file watch does not see
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
    // If a directory was not watched while it was read, a change may have been missed: the policy is read
    // again.
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

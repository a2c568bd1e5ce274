/** Watches a policy, and loads it again when its files change. */
import { resolve } from 'node:path';
import {
  auditTime,
  concatMap,
  filter,
  merge,
  Observable,
  of,
  Subject,
  Subscription,
  timer,
} from 'rxjs';
import { delayAfter } from '../../system/backoff.ts';
import { watchFiles } from '../../system/file-monitor.ts';
import { loadNative } from '../../xen/native.ts';
import { type LoadedPolicy, loadPolicy } from './load-policy.ts';

/** The wait after a change, because an editor makes several at once. Further changes do not extend it. */
const editMs = 50;

/** The kernel does not report that a process has closed a file that it wrote. */
const rereads = { firstMs: 100, longestMs: 5_000 };

/**
 * Emits the policy at once and after each change. An invalid policy also replaces the previous one, and
 * denies every call until it is corrected. A file that a process is writing changes nothing until the process
 * closes it. Never errors.
 * @param nudges each one loads the policy again, for changes that a file watch does not see
 */
export const watchPolicy = (
  directory: string,
  nudges: Observable<unknown>,
): Observable<LoadedPolicy> =>
  new Observable((policies) => {
    const { isOpenForWriting } = loadNative();
    const edits = new Subject<unknown>();
    /** The number of reads in a row in which a process was writing a file. */
    let written = 0;
    let isKnown = false;
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
      const loaded = await loadPolicy(directory, isOpenForWriting);
      return attend(loaded.directories) ? await load() : loaded;
    };
    const mayReplace = ({ isWritten }: LoadedPolicy): boolean => {
      written = isWritten ? written + 1 : 0;
      if (isWritten)
        watches.add(timer(delayAfter(written, rereads)).subscribe(() => edits.next(undefined)));
      const may = !isWritten || !isKnown;
      isKnown = true;
      return may;
    };
    attend([resolve(directory)]);
    watches.add(
      merge(of(undefined), edits.pipe(auditTime(editMs)), nudges)
        .pipe(concatMap(load), filter(mayReplace))
        .subscribe(policies),
    );
    return watches;
  });

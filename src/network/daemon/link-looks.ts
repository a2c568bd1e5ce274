/** Looks for changes of links that the kernel does not report. */
import { filter, interval, merge, type Observable } from 'rxjs';
import type { Decision } from '../vif/decide-vifs.ts';

/** For an XDP or TCX program that a process attaches with a bpf_link. A look costs one start of ip. */
const unreportedMs = 10_000;
/** For the end of an attachment: the kernel does not report it on a link that is down. */
const attachedMs = 1_000;

const isAttached = (decision: Decision): boolean =>
  decision.kind === 'refused' && decision.problem.code === 'LINK_ATTACHED';

/** Emits when the links must be observed again. */
export const linkLooks = (decisions: () => readonly Decision[]): Observable<unknown> =>
  merge(
    interval(unreportedMs),
    interval(attachedMs).pipe(filter(() => decisions().some(isAttached))),
  );

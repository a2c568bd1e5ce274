/** Joins all sources of change into one stream of triggers. */

import { filter, ignoreElements, merge, type Observable, tap } from 'rxjs';
import type { StoreChange } from '../store/vif-paths.ts';
import type { ObservedState } from './observed-state.ts';
import type { StaticRulesetGuard } from './static-ruleset-guard.ts';

type Sources = {
  /** The passes that the daemon itself requests. */
  readonly requests: Observable<unknown>;
  readonly store: Observable<StoreChange>;
  readonly links: Observable<unknown>;
  readonly trafficControl: Observable<unknown>;
  /** Looks for changes of links that the kernel does not report. */
  readonly looks: Observable<unknown>;
  readonly neighbours: Observable<unknown>;
  /** Emits first when it listens. */
  readonly ruleset: Observable<unknown>;
  /** Never emits; ends the daemon with an error. */
  readonly xenstored: Observable<never>;
  readonly policies: Observable<unknown>;
  /** Never emits: `policies` does when the edited files are loaded. */
  readonly edits: Observable<unknown>;
};

type Ports = {
  readonly observed: Pick<ObservedState, 'touch' | 'invalidateLinks' | 'invalidateElements'>;
  readonly guard: Pick<StaticRulesetGuard, 'suspect' | 'linksChanged'>;
  /** Called when a link may have appeared. */
  readonly linksChanged: () => void;
  /** Called when the ruleset monitor listens. */
  readonly listening: () => void;
  /** Link events need no pass of their own while links are brought up. */
  readonly isBringingUp: () => boolean;
};

/** Each source first marks what may have changed, then leads to a pass. */
export const triggersOf = (sources: Sources, ports: Ports): Observable<unknown> => {
  const { observed, guard, linksChanged, listening, isBringingUp } = ports;
  return merge(
    sources.requests,
    sources.store.pipe(tap(observed.touch)),
    merge(
      sources.links.pipe(tap(guard.linksChanged), tap(linksChanged)),
      sources.trafficControl,
      sources.looks,
      sources.neighbours,
    ).pipe(
      tap(observed.invalidateLinks),
      filter(() => !isBringingUp()),
    ),
    sources.ruleset.pipe(tap(guard.suspect), tap(observed.invalidateElements), tap(listening)),
    sources.xenstored,
    sources.policies,
    sources.edits.pipe(ignoreElements()),
  );
};

/** The current configuration, which is read again on SIGHUP. */
import type { Logger } from 'pino';
import { BehaviorSubject, concatMap, fromEvent, type Observable } from 'rxjs';
import { VifwatchError } from '../../errors.ts';
import { type AgentConfig, loadAgentConfig } from '../config/agent-config.ts';

export type Settings = {
  readonly now: () => AgentConfig;
  /** Emits the current configuration, then each one that is read later. */
  readonly all: Observable<AgentConfig>;
  readonly close: () => void;
};

/**
 * Reads the file again on each SIGHUP. An invalid file changes nothing, and the log shows where it is wrong.
 */
export const openSettings = (first: AgentConfig, file: string, log: Logger): Settings => {
  const all = new BehaviorSubject(first);

  const load = async (): Promise<void> => {
    try {
      const next = await loadAgentConfig(file);
      const { serve, connect, relay, group } = next;
      log.info({ serve, connect, relay }, 'the configuration is in force');
      if (group !== all.value.group)
        log.warn('the group was changed; the change takes effect at the next start');
      all.next(next);
    } catch (error) {
      if (!(error instanceof VifwatchError)) throw error;
      log.error({ code: error.code }, `${error.message}\nkeeping the previous configuration`);
    }
  };

  const loading = fromEvent(process, 'SIGHUP').pipe(concatMap(load)).subscribe();
  return { now: () => all.value, all, close: () => loading.unsubscribe() };
};

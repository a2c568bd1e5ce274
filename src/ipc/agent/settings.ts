/** The configuration in force, which is read again on SIGHUP. */
import type { Logger } from 'pino';
import { BehaviorSubject, concatMap, fromEvent, type Observable } from 'rxjs';
import { VifwatchError } from '../../errors.ts';
import { type AgentConfig, loadAgentConfig } from '../config/agent-config.ts';

export type Settings = {
  readonly now: () => AgentConfig;
  /** First those in force, then each time they are read again. */
  readonly all: Observable<AgentConfig>;
  readonly close: () => void;
};

/** A file that is wrong changes nothing, and the log says where it is wrong. */
export const openSettings = (first: AgentConfig, file: string, log: Logger): Settings => {
  const all = new BehaviorSubject(first);

  const load = async (): Promise<void> => {
    try {
      const next = await loadAgentConfig(file);
      const { serve, connect, relay, group } = next;
      log.info({ serve, connect, relay }, 'the configuration is in force');
      if (group !== all.value.group) log.warn('another group: in force from the next start on');
      all.next(next);
    } catch (error) {
      if (!(error instanceof VifwatchError)) throw error;
      log.error({ code: error.code }, `${error.message}\nwhat was in force stays so`);
    }
  };

  const loading = fromEvent(process, 'SIGHUP').pipe(concatMap(load)).subscribe();
  return { now: () => all.value, all, close: () => loading.unsubscribe() };
};

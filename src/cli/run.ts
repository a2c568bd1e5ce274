/** `vifwatch run`. */
import { pino } from 'pino';
import { loadConfig } from '../config/config.ts';
import { runDaemon } from '../daemon/run.ts';

export const run = async (options: {
  readonly config: string;
  readonly runtime: string;
  readonly debug?: true;
}): Promise<number> => {
  const log = pino({ level: options.debug ? 'debug' : 'info', base: null });
  try {
    const config = await loadConfig(options.config);
    await runDaemon({ config, runtime: options.runtime, log });
    return 0;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    log.fatal({ code, err: code === undefined ? error : undefined }, message);
    // A request to a dead or hung xenstored never returns: waiting for it would be for ever.
    return process.exit(code === 'CONFIG_INVALID' ? 78 : 1);
  }
};

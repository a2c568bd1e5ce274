/** `vifwatch run`. */
import { pino } from 'pino';
import { loadConfig, policyDirectory } from '../config/config.ts';
import { runDaemon } from '../daemon/run.ts';
import { XenstoreError } from '../xen/xenstore.ts';

/** A connection that fails at any time later is as good as none at the start. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof XenstoreError ? 'XENSTORE_UNAVAILABLE' : (error as { code?: string }).code;

export const run = async (options: {
  readonly config: string;
  readonly runtime: string;
  readonly debug?: true;
}): Promise<number> => {
  const log = pino({ level: options.debug ? 'debug' : 'info', base: null });
  try {
    const config = await loadConfig(options.config);
    const policies = policyDirectory(options.config);
    await runDaemon({ config, policies, runtime: options.runtime, log });
    return 0;
  } catch (error) {
    const { message } = error as Error;
    const code = codeOf(error);
    log.fatal({ code, err: code === undefined ? error : undefined }, message);
    // A request to a dead or hung xenstored never returns: waiting for it would be for ever.
    return process.exit(code === 'CONFIG_INVALID' ? 78 : 1);
  }
};

/** A daemon as a process: it logs NDJSON to standard output, and what ends it is logged last. */
import { type Logger, pino } from 'pino';
import { XenstoreError } from '../xen/xenstore.ts';

/** A connection that fails at any time later is as good as none at the start. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof XenstoreError ? 'XENSTORE_UNAVAILABLE' : (error as { code?: string }).code;

/** Runs it to its end and returns the exit status: 0, 78 for a bad configuration (EX_CONFIG), 1 for the rest. */
export const daemonProcess = async (
  { debug }: { readonly debug?: true },
  serve: (log: Logger) => Promise<void>,
): Promise<number> => {
  const log = pino({ level: debug ? 'debug' : 'info', base: null });
  try {
    await serve(log);
    return 0;
  } catch (error) {
    const { message } = error as Error;
    const code = codeOf(error);
    log.fatal({ code, err: code === undefined ? error : undefined }, message);
    // A request to a dead or hung xenstored never returns: waiting for it would be for ever.
    return process.exit(code === 'CONFIG_INVALID' ? 78 : 1);
  }
};

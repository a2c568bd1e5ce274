/** Runs a daemon as a process: it logs NDJSON to standard output, and the last line says why it ended. */
import { type Logger, pino } from 'pino';
import { XenstoreError } from '../xen/xenstore.ts';

/** A xenstore error in the running daemon gets the same code as a failed connection at its start. */
const codeOf = (error: unknown): string | undefined =>
  error instanceof XenstoreError ? 'XENSTORE_UNAVAILABLE' : (error as { code?: string }).code;

/** The values of the options of a daemon's command. */
export type DaemonValues = {
  readonly config: string;
  readonly runtime: string;
  readonly debug?: true;
};

/** Runs a daemon to its end. Returns 0; exits with 78 (EX_CONFIG) for a bad configuration, else with 1. */
export const daemonProcess = async (
  { debug }: DaemonValues,
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
    // A request to a dead or hung xenstored never returns, and would keep the process alive.
    return process.exit(code === 'CONFIG_INVALID' ? 78 : 1);
  }
};

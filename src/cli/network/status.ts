/** `vifwatch status`: asks the daemon; without a daemon, it reads xenstore and the kernel. */
import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { controlSocket } from '../../network/daemon/control-socket.ts';
import type { Status } from '../../network/status/status.ts';
import { statusText } from '../../network/status/status-text.ts';
import { systemClock } from '../../system/clock.ts';
import { afterDeadline, answerMs } from '../../system/deadline.ts';
import { isMissingFile } from '../../system/missing-file.ts';
import { noneRuns } from '../commands/exit-status.ts';

const late = `the daemon does not answer within ${answerMs / 1000} s`;

/** The daemon's status; undefined without a daemon. @throws Error if the daemon does not answer within 15 s */
export const askDaemon = async (runtime: string): Promise<Status | undefined> => {
  const socket = createConnection(controlSocket(runtime));
  const deadline = afterDeadline(systemClock, answerMs, () => socket.destroy(new Error(late)));
  try {
    return JSON.parse(await text(socket)) as Status;
  } catch (error) {
    const isRefused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    if (isRefused || isMissingFile(error)) return undefined;
    throw error;
  } finally {
    deadline.cancel();
  }
};

const lookOurselves = async (config: string): Promise<Status> => {
  const { inspect } = await import('./inspect.ts');
  return await inspect(config);
};

type StatusOptions = { readonly config: string; readonly runtime: string; readonly json?: true };

/** Prints the status. @returns the exit status: 0 if all is healthy, 1 if not, 69 without a daemon */
export const status = async ({ config, runtime, json }: StatusOptions): Promise<number> => {
  const found = (await askDaemon(runtime)) ?? (await lookOurselves(config));
  process.stdout.write(json ? `${JSON.stringify(found, null, 2)}\n` : statusText(found));
  if (found.daemon === null) return noneRuns;
  return found.healthy ? 0 : 1;
};

/** Serves one call, from the request to the exit status. */
import { readFileSync } from 'node:fs';
import type { Outcome } from '../protocol/call.ts';
import type { Reservation } from './concurrency-limits.ts';
import { fileNames, findService } from './find-service.ts';
import { callsPerPeer, processesPerRelay } from './limits.ts';
import { findUser, type User } from './passwd.ts';
import { RefusedError } from './refused-error.ts';
import { type Run, runExecutable } from './run-executable.ts';
import { connectTo, runSocket } from './run-socket.ts';
import { loadServiceConfig, type ServiceConfig } from './service-config.ts';
import { callerKey, type ServiceCall, type Services } from './services.ts';
import { startProcess } from './start-process.ts';
import { stoppedStatus } from './stop-reason.ts';

type Ended = Exclude<Outcome, { readonly kind: 'lost' }>;

/**
 * The user from the policy, else from the service's configuration, else the agent's own.
 * @throws RefusedError
 */
const userOf = (call: ServiceCall, config: ServiceConfig): User => {
  const wanted = call.user ?? config.user ?? process.geteuid?.() ?? 0;
  const file = '/etc/passwd';
  const user = findUser(readFileSync(file, 'utf8'), wanted);
  if (user !== undefined) return user;
  throw new RefusedError('failed', `${file} has no user ${JSON.stringify(wanted)}`);
};

/** @throws RefusedError only before a process or connection is started */
const start = async (
  call: ServiceCall,
  services: Services,
  { acquire }: Reservation,
): Promise<Run> => {
  const names = fileNames(call.request);
  if (!/^[!-~]+$/.test(call.source)) {
    throw new RefusedError('failed', "the caller's name has invalid characters");
  }
  const { kind, path } = findService(services.directory, names);
  const config = loadServiceConfig(services.configDirectory, names, kind);
  if (config['max-concurrent'] !== undefined) acquire(`${config.file}`, config['max-concurrent']);
  const report = (text: string): void => services.report(`${path}: ${text}`, call);
  acquire(callerKey(call), callsPerPeer[kind]);
  if (kind === 'executable') {
    if (call.via !== undefined) acquire(`all callers via ${call.via}`, processesPerRelay);
    const user = userOf(call, config);
    const service = await services.enqueueStart(callerKey(call), () => {
      if (call.cancelled.aborted)
        throw new RefusedError('failed', 'the call was cancelled before the start');
      return startProcess(path, call, user);
    });
    return runExecutable(call, config, service, report);
  }
  const status = await runSocket(call, config, await connectTo(path), report);
  return { status, cleared: Promise.resolve() };
};

const refusal = (error: unknown, call: ServiceCall, { report }: Services): Ended => {
  const refused =
    error instanceof RefusedError ? error : new RefusedError('failed', `unexpected: ${error}`);
  report(`refused: ${refused.message}`, call);
  return { kind: 'refused', refusal: refused.refusal };
};

/**
 * Serves a call that the policy allows. Never rejects, and never refuses once the service may have written
 * output. After a cancelled call, none of its processes is left. After a call that ended by itself, processes
 * may remain for some seconds; `servicesEnded` waits for them.
 */
export const runService = async (call: ServiceCall, services: Services): Promise<Ended> => {
  if (call.cancelled.aborted) return { kind: 'exited', status: stoppedStatus };
  const reservation = services.concurrency.reserve();
  try {
    const { status, cleared } = await start(call, services, reservation);
    void cleared.then(reservation.release);
    return { kind: 'exited', status };
  } catch (error) {
    reservation.release();
    return refusal(error, call, services);
  }
};

/** The agent: links with other VMs, calls from them, and calls to them. */
import { mkdir, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import {
  BehaviorSubject,
  filter,
  firstValueFrom,
  fromEvent,
  lastValueFrom,
  merge,
  ReplaySubject,
  takeUntil,
  tap,
} from 'rxjs';
import { VifwatchError } from '../../errors.ts';
import { systemClock } from '../../system/clock.ts';
import { claimNamespace } from '../../system/one-per-namespace.ts';
import { placeText } from '../../text/diagnostic.ts';
import { connect } from '../../xen/connect.ts';
import { loadNative } from '../../xen/native.ts';
import type { Xenstore } from '../../xen/xenstore.ts';
import type { AgentConfig, AgentPaths } from '../config/agent-config.ts';
import type { LoadedPolicy } from '../config/load-policy.ts';
import { watchPolicy } from '../config/watch-policy.ts';
import { openServices, servicesEnded } from '../services/services.ts';
import { agentSocket } from './agent-socket.ts';
import { openCallSwitch } from './call-switch.ts';
import { openLocal } from './local.ts';
import { openLogRateLimit } from './log-rate-limit.ts';
import type { Self } from './peer.ts';
import { removeAgentNodes } from './rendezvous.ts';
import { openSettings } from './settings.ts';

/** Logs a newly read policy: a warning or an error if the agent denies every call. */
const logPolicy = (log: Logger, { policy, rules, files }: LoadedPolicy): void => {
  switch (policy.kind) {
    case 'rules':
      log.info({ files, rules: rules.length }, 'the policy is in force');
      return;
    case 'absent':
      log.warn({ code: 'POLICY_ABSENT' }, 'there is no policy: every call is denied');
      return;
    case 'invalid':
      for (const { place, text } of policy.diagnostics)
        log.error({ code: 'POLICY_INVALID' }, `${placeText(place)}: ${text}`);
      log.error({ code: 'POLICY_INVALID' }, 'every call is denied until the policy is corrected');
  }
};

type AgentOptions = {
  readonly config: AgentConfig;
  readonly paths: AgentPaths;
  /** The directory of the local socket. */
  readonly runtime: string;
  readonly log: Logger;
};

const stopSignals = () =>
  merge(...['SIGTERM', 'SIGINT'].map((signal) => fromEvent(process, signal)));

/** This VM's domid, and the name that dom0 gives it. Policies use the same name. */
const selfOf = async (store: Xenstore, domid: Self['domid']): Promise<Self> => {
  const [name] = await store.readAll(['name']);
  if (name !== undefined) return { domid, name };
  throw new VifwatchError('XENSTORE_UNAVAILABLE', `/local/domain/${domid}/name cannot be read`);
};

/** Watches the policy, and resolves once it has been read for the first time. */
const openPolicy = async (directory: string, log: Logger) => {
  const policies = watchPolicy(directory, fromEvent(process, 'SIGHUP'));
  const current = new BehaviorSubject<LoadedPolicy | undefined>(undefined);
  const watching = policies.pipe(tap((policy) => logPolicy(log, policy))).subscribe(current);
  const first = await firstValueFrom(current.pipe(filter((policy) => policy !== undefined)));
  return { now: () => current.value ?? first, close: () => watching.unsubscribe() };
};

/**
 * Makes and answers calls until SIGTERM or SIGINT, then ends them all and resolves.
 * @throws VifwatchError or XenstoreError when it cannot go on
 */
export const runAgent = async ({ config, paths, runtime, log }: AgentOptions): Promise<void> => {
  // This comes first: without a listener, a SIGHUP would end the process.
  const settings = openSettings(config, paths.config, log);
  await mkdir(runtime, { recursive: true, mode: 0o755 });
  const claim = await claimNamespace('vifwatch-agent', loadNative().lockFile);
  const { store, domid } = await connect();
  const self = await selfOf(store, domid);
  await removeAgentNodes(store, domid);
  const policy = await openPolicy(paths.policies, log);
  const rateLimitLog = openLogRateLimit(systemClock.now);
  const services = openServices({
    directory: paths.services,
    configDirectory: paths.serviceConfigs,
    report: (text, call) =>
      rateLimitLog(
        call.source,
        (suppressed) => {
          const { source, via, request } = call;
          const { service, argument } = request;
          log.warn({ from: source, via, service, argument, suppressed }, text);
        },
        call.via,
      ),
  });
  const failures = new ReplaySubject<never>();
  const fail = (error: unknown): void => failures.error(error);
  const callSwitch = openCallSwitch({
    store,
    self,
    settings,
    policy: policy.now,
    services,
    log,
    rateLimitLog,
    fail,
  });
  // The listener must exist before the socket does, as the agent is ready then.
  // It stays: otherwise a second signal would end the process before it has cleaned up.
  const stopped = new ReplaySubject(1);
  stopSignals().subscribe(stopped);
  const local = await openLocal({
    self: self.name,
    runtime,
    group: config.group,
    place: callSwitch.place,
    document: callSwitch.document,
    log,
    rateLimitLog,
  });
  const { serve, connect: connects, relay } = settings.now();
  log.info({ ...self, serve, connect: connects, relay }, 'ready');

  await lastValueFrom(failures.pipe(takeUntil(stopped)), { defaultValue: undefined });
  // The relay ends first: otherwise VMs that still call over it would lose their calls.
  await callSwitch.endRelay();
  log.info('stopping: ending all calls');
  await rm(agentSocket(runtime), { force: true });
  settings.close();
  await callSwitch.close();
  await local.close();
  await removeAgentNodes(store, domid);
  await servicesEnded(services);
  policy.close();
  store.close();
  await claim.close();
};

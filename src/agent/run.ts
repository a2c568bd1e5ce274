/** The agent: links with other VMs, calls from them, and calls to them. */
import { mkdir, rm } from 'node:fs/promises';
import type { Logger } from 'pino';
import {
  BehaviorSubject,
  concatMap,
  filter,
  firstValueFrom,
  fromEvent,
  lastValueFrom,
  merge,
  ReplaySubject,
  takeUntil,
  tap,
} from 'rxjs';
import type { LoadedPolicy } from '../call-policy/load-policy.ts';
import { watchPolicy } from '../call-policy/watch-policy.ts';
import type { AgentConfig, AgentPaths } from '../config/agent-config.ts';
import { VifwatchError } from '../core/problem.ts';
import { claimNamespace } from '../daemon/control.ts';
import { accountOf, openServices, servicesEnded } from '../services/services.ts';
import { connect } from '../xen/connect.ts';
import type { Xenstore } from '../xen/xenstore.ts';
import { agentSocket } from './agent-socket.ts';
import { openDomainMap } from './domain-map.ts';
import { openIncoming } from './incoming.ts';
import { openLocal } from './local.ts';
import { openLogBudget } from './log-budget.ts';
import type { Self } from './peer.ts';
import type { PeersDocument } from './peer-status.ts';
import { openPeers } from './peers.ts';
import { logPolicy } from './policy-log.ts';
import { openRelay } from './relay.ts';
import { openRoutes } from './routes.ts';
import { openSettings } from './settings.ts';
import { sweep } from './sweep.ts';

export type AgentOptions = {
  readonly config: AgentConfig;
  readonly paths: AgentPaths;
  /** For the local socket. */
  readonly runtime: string;
  readonly log: Logger;
};

const stopSignals = () =>
  merge(...['SIGTERM', 'SIGINT'].map((signal) => fromEvent(process, signal)));

/** What dom0 calls this VM, which is what its policies call it. */
const selfOf = async (store: Xenstore, domid: number): Promise<Self> => {
  const [name] = await store.readAll(['name']);
  if (name !== undefined) return { domid, name };
  throw new VifwatchError('XENSTORE_UNAVAILABLE', `/local/domain/${domid}/name cannot be read`);
};

/** The policy in force, once it has been read for the first time. */
const openPolicy = async (directory: string, log: Logger) => {
  const policies = watchPolicy(directory, fromEvent(process, 'SIGHUP'));
  const current = new BehaviorSubject<LoadedPolicy | undefined>(undefined);
  const watching = policies.pipe(tap((policy) => logPolicy(log, policy))).subscribe(current);
  const first = await firstValueFrom(current.pipe(filter((policy) => policy !== undefined)));
  return { now: () => current.value ?? first, close: () => watching.unsubscribe() };
};

/**
 * Makes and answers calls until SIGTERM or SIGINT, then ends them all and resolves.
 * Throws VifwatchError or XenstoreError when it cannot go on.
 */
export const runAgent = async ({ config, paths, runtime, log }: AgentOptions): Promise<void> => {
  await mkdir(runtime, { recursive: true, mode: 0o755 });
  const claim = await claimNamespace('vifwatch-agent');
  const { store, domid } = await connect();
  const self = await selfOf(store, domid);
  await sweep(store, domid);
  const policy = await openPolicy(paths.policies, log);
  const spend = openLogBudget(() => performance.now());
  const services = openServices({
    directory: paths.services,
    configDirectory: paths.serviceConfigs,
    report: (text, call) =>
      spend(accountOf(call), (suppressed) => {
        const { source, via, request } = call;
        const { service, argument } = request;
        log.warn({ from: source, via, service, argument, suppressed }, text);
      }),
  });
  const settings = openSettings(config, paths.config, log);
  const relayName = () => settings.now().relay;
  const relay = openRelay({
    linkWith: (name, signal) => peers.linkWith(name, signal),
    log,
    spend,
  });
  const onCall = openIncoming({
    ...{ self, relay: relayName, passOn: relay.passOn },
    ...{ policy: policy.now, services, log, spend },
  });
  const failures = new ReplaySubject<never>();
  const fail = (error: unknown): void => failures.error(error);
  const names = openDomainMap(store);
  const peers = openPeers({ store, names, self, log, onCall, fail });
  const configuring = settings.all
    .pipe(concatMap((pairs) => peers.configure(pairs)))
    .subscribe({ error: fail });
  const routes = openRoutes({ self: self.name, peers, relay: relayName });
  const isRelay = (): boolean => relayName() === self.name;
  const document = (): PeersDocument => ({
    peers: routes.status(),
    relay: isRelay() ? null : (relayName() ?? null),
    relayed: isRelay() || relay.underWay() > 0 ? relay.underWay() : null,
  });
  const local = await openLocal({
    self: self.name,
    runtime,
    group: config.group,
    place: routes.place,
    document,
    log,
    spend,
  });
  const { serve, connect: connects } = config;
  log.info({ ...self, serve, connect: connects, relay: config.relay }, 'ready');

  await lastValueFrom(failures.pipe(takeUntil(stopSignals())), { defaultValue: undefined });
  // Else those who still call by way of this one would lose their calls.
  if (isRelay() || relay.underWay() > 0) await relay.close();
  log.info('stopping: all calls end');
  await rm(agentSocket(runtime), { force: true });
  configuring.unsubscribe();
  settings.close();
  await peers.close();
  await local.close();
  await sweep(store, domid);
  await servicesEnded(services);
  policy.close();
  store.close();
  claim.close();
};

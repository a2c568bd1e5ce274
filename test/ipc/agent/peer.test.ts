/** A peer follows its name to a domain, and keeps a link with that domain. */
import { setImmediate } from 'node:timers/promises';
import { Observable, type Subscriber } from 'rxjs';
import { expect, onTestFinished, test } from 'vitest';
import { type Caller, openPeer } from '../../../src/ipc/agent/peer.ts';
import type { EstablishedLink } from '../../../src/ipc/agent/rendezvous.ts';
import type { IncomingCall } from '../../../src/ipc/protocol/call.ts';
import { type Mux, openMux } from '../../../src/ipc/protocol/mux.ts';
import { domidOf } from '../../support/domid.ts';
import { duplexPair } from '../protocol/duplex-pair.ts';
import { fakeDomainMap, memoryLog, vm } from './fake-peers.ts';

type Rendezvous = {
  readonly role: string;
  readonly domid: number;
  readonly report: (reason: string | undefined) => void;
  readonly links: Subscriber<EstablishedLink>;
};

/** A server peer named `a` of the VM `self` with domid 9. */
const opened = () => {
  const domains = fakeDomainMap();
  const { log, lines } = memoryLog();
  const calls: (readonly [Caller, IncomingCall])[] = [];
  const failures: unknown[] = [];
  /** The current rendezvous; undefined if the peer looks for no link. */
  let current: Rendezvous | undefined;
  const peer = openPeer(
    {
      domainOf: domains.domainOf,
      rendezvous: (role, domid, report) =>
        new Observable((links) => {
          current = { role, domid, report, links };
          return () => {
            current = undefined;
          };
        }),
      self: { name: 'self', domid: domidOf(9) },
      log,
      onCall: (caller, call) => {
        calls.push([caller, call]);
        call.exit(0);
      },
      fail: (error) => failures.push(error),
    },
    vm('a'),
    'server',
  );
  /** Opens a link with the other VM, and gives the link's other end once both are ready. */
  const linkUp = async (): Promise<Mux> => {
    const [ours, theirs] = duplexPair();
    const onCall = (call: IncomingCall) => call.exit(1);
    const remote = openMux(theirs, { role: 'client', name: 'a', onCall });
    onTestFinished(() => remote.close({ code: 'shutdown', text: 'the test ends' }));
    current?.links.next({ link: ours, place: '/place' });
    await peer.link(new AbortController().signal);
    await remote.ready;
    return remote;
  };
  return { domains, lines, calls, failures, peer, linkUp, now: () => current };
};

const common = { peer: 'a', role: 'server' };
const readName = (domain: unknown) => ({
  ...common,
  level: 30,
  domain,
  msg: 'read the name in /ipc/domain-map',
});

test('there is no rendezvous without a single other domain, and the log says why', () => {
  const { domains, lines, peer, now } = opened();
  domains.set('a', 'ambiguous');
  domains.set('a', 9);
  expect(now()).toBeUndefined();
  const ambiguous =
    'the domain has more than one name in /ipc/domain-map; dom0 must give it only one';
  const own = "this is this VM's own name; an agent has no link with itself";
  expect(lines).toEqual([
    readName('unknown'),
    readName('ambiguous'),
    { ...common, level: 40, domain: 'ambiguous', msg: ambiguous },
    readName(9),
    { ...common, level: 40, domain: 9, msg: own },
  ]);
  expect(peer.status().trouble).toBe(own);
  domains.set('a', 3);
  expect(now()).toMatchObject({ role: 'server', domid: 3 });
  expect(peer.status().trouble).toBeNull();
});

test('a link carries calls of the domain, and its start and end are in the log', async () => {
  const { domains, lines, calls, peer, linkUp } = opened();
  domains.set('a', 3);
  lines.splice(0);
  const remote = await linkUp();
  expect(peer.linkNow()).toBeDefined();
  const request = { target: '', service: 'any', argument: '' };
  expect(await remote.open(request).outcome).toEqual({ kind: 'exited', status: 0 });
  expect(calls.map(([caller]) => caller)).toEqual([{ name: 'a', domid: 3 }]);
  const local = peer.linkNow();
  remote.close({ code: 'shutdown', text: 'maintenance' });
  await local?.closed;
  await setImmediate();
  expect(peer.linkNow()).toBeUndefined();
  expect(lines).toEqual([
    { ...common, level: 30, domid: 3, place: '/place', msg: 'the link is up' },
    {
      ...common,
      level: 30,
      domid: 3,
      by: 'peer',
      code: 'shutdown',
      reason: 'maintenance',
      msg: 'the link is closed',
    },
  ]);
});

test("the log of a link's end has the error code of the transport", async () => {
  const { domains, lines, peer, now } = opened();
  domains.set('a', 3);
  lines.splice(0);
  const [ours] = duplexPair();
  now()?.links.next({ link: ours, place: '/place' });
  ours.destroy(Object.assign(new Error('peer domain died'), { code: 'VCHAN_CLOSED' }));
  await expect.poll(() => lines).toHaveLength(1);
  const end = {
    by: 'transport',
    code: 'failed',
    cause: 'VCHAN_CLOSED',
    reason: 'peer domain died',
  };
  expect(lines).toMatchObject([{ ...end, msg: 'the link is closed' }]);
  expect(peer.status()).toMatchObject({ state: 'waiting', reconnects: 0 });
});

test('a reported trouble is logged once, with the domain', () => {
  const { domains, lines, now } = opened();
  domains.set('a', 3);
  lines.splice(0);
  for (const reason of ['no grants', 'no grants', undefined, 'no grants']) now()?.report(reason);
  const warning = { ...common, level: 40, domain: 3, msg: 'no grants' };
  expect(lines).toEqual([warning, warning]);
});

test('a name that moves to another domain ends the link and starts a new rendezvous', async () => {
  const { domains, peer, linkUp, now } = opened();
  domains.set('a', 3);
  const remote = await linkUp();
  domains.set('a', 4);
  expect(now()).toMatchObject({ domid: 4 });
  const text = 'dom0 changed the domain of the name a';
  expect(await remote.over).toEqual({ kind: 'peer', code: 'identity', text });
  expect(peer.status()).toMatchObject({ domid: 4, state: 'waiting' });
});

test('a closed peer says goodbye, then ends the rendezvous', async () => {
  const { domains, peer, linkUp, now } = opened();
  domains.set('a', 3);
  const remote = await linkUp();
  const closed = peer.close('the agent stops');
  expect(now()).toBeDefined();
  await closed;
  expect(now()).toBeUndefined();
  const end = { kind: 'peer', code: 'shutdown', text: 'the agent stops' };
  expect(await remote.over).toEqual(end);
  await expect(peer.link(new AbortController().signal)).rejects.toThrow('the agent stops');
});

test('a lost connection to xenstored is reported', async () => {
  const { domains, failures, now } = opened();
  domains.set('a', 3);
  now()?.links.error('lost');
  await setImmediate();
  expect(failures).toEqual(['lost']);
});

/** The path of a program's call: the direct link, the relay, or a new direct link. */
import { expect, test } from 'vitest';
import { openRoutes } from '../../../src/ipc/agent/routes.ts';
import type { Mux } from '../../../src/ipc/protocol/mux.ts';
import { answeringLink, exited, incomingCall } from './fake-calls.ts';
import { fakePeer, vm } from './fake-peers.ts';

/** Routes of the VM `self`. The VM `late` gets its link while the call waits. */
const opened = (up: Readonly<Record<string, Mux>>, relay?: string) => {
  const late = answeringLink(exited);
  const routes = openRoutes({
    self: 'self',
    peers: {
      linkNow: (name) => up[name],
      reach: async (name) => {
        if (name === 'late') return late.link;
        throw new Error(`there is no link with ${name}`);
      },
      seek: () => {},
      status: () => [...Object.keys(up), 'down'].map((name) => fakePeer(name).status()),
    },
    relay: () => (relay === undefined ? undefined : vm(relay)),
  });
  const place = async (target: string) => {
    const { call, ended } = incomingCall(target);
    await routes.place(call);
    return (await ended()).end;
  };
  return { place, routes, late };
};

const own = { target: '', service: 'sign', argument: 'key1' };

test('a direct link that is up comes before the relay', async () => {
  const [direct, hub] = [answeringLink(exited), answeringLink(exited)];
  const { place } = opened({ mail: direct.link, hub: hub.link }, 'hub');
  expect(await place('mail')).toBe('exit 0');
  expect([direct.requests, hub.requests]).toEqual([[own], []]);
});

test('without a direct link, the call goes over the relay', async () => {
  const hub = answeringLink(exited);
  const { place } = opened({ hub: hub.link }, 'hub');
  expect(await place('mail')).toBe('exit 0');
  expect(hub.requests).toEqual([{ ...own, target: 'mail' }]);
});

test.each([
  ['without a relay', undefined],
  ['on the relay itself', 'self'],
  ['to the relay', 'late'],
])('%s, the call waits for a direct link', async (_where, relay) => {
  const { place, late } = opened({}, relay);
  expect(await place('late')).toBe('exit 0');
  expect(late.requests).toEqual([own]);
});

test.each([
  ['a VM without a link', 'mail', 'there is no link with mail'],
  ['an invalid name', 'm.ail', 'the target is not a valid VM name'],
  ["the VM's own name", 'self', 'a VM cannot call itself'],
])('a call to %s is refused', async (_what, target, text) => {
  expect(await opened({}).place(target)).toBe(`unreachable: ${text}`);
});

test('the status has the path that a call would take now', () => {
  const routesOf = (relay: Mux) =>
    opened({ mail: answeringLink(exited).link, hub: relay }, 'hub')
      .routes.status()
      .map(({ name, route }) => [name, route]);
  const direct = [
    ['mail', 'direct'],
    ['hub', 'direct'],
  ];
  expect(routesOf(answeringLink(exited).link)).toEqual([...direct, ['down', 'relay']]);
  expect(routesOf(answeringLink(exited, 1).link)).toEqual([...direct, ['down', null]]);
});

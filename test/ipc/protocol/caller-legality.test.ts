/** Each frame arrives in each state of a stream at its caller. */
import { describe, expect, test } from 'vitest';
import {
  aboutStderr,
  aboutStdin,
  aboutStdout,
  type Expected,
  expected,
  names,
  openings,
  outputs,
  say,
  stdin,
  type Variant,
} from './legality.ts';
import { echoRequest, muxAndPeer } from './raw-peer.ts';

describe('a stream at its caller', () => {
  const callersOwn = [...stdin, 'cancel', 'release'] as const;
  const wrong = [...callersOwn, ...aboutStdout, ...aboutStderr];
  const ends: Variant[] = ['stdoutEnd', 'stderrEnd'];
  const states: Record<string, Expected & { opened: boolean; cancels?: boolean; said: Variant[] }> =
    {
      unopened: { opened: false, said: [], legal: [], direction: [] },
      opened: {
        opened: true,
        said: [],
        legal: [...outputs, ...aboutStdin, 'refuse'],
        direction: wrong,
      },
      answered: {
        opened: true,
        said: ['stdout'],
        legal: [...outputs, ...aboutStdin],
        direction: wrong,
      },
      'stdin stopped': {
        opened: true,
        said: ['stopStdin'],
        legal: [...outputs, 'refuse'],
        direction: wrong,
      },
      'stdout ended': {
        opened: true,
        said: ['stdoutEnd'],
        legal: ['stderr', 'stderrEnd', ...aboutStdin],
        direction: wrong,
      },
      'outputs ended': {
        opened: true,
        said: ends,
        legal: [...aboutStdin, 'exit'],
        direction: wrong,
      },
      cancelled: {
        opened: true,
        cancels: true,
        said: [],
        legal: [...outputs, ...aboutStdin, 'refuse', 'exit'],
        direction: wrong,
      },
      'cancelled, answered': {
        opened: true,
        cancels: true,
        said: ['stderr'],
        legal: [...outputs, ...aboutStdin, 'exit'],
        direction: wrong,
      },
      ended: { opened: true, said: [...ends, 'exit'], legal: [], direction: [] },
      refused: { opened: true, said: ['refuse'], legal: [], direction: [] },
    };
  const cases = Object.entries(states).flatMap(([state, { opened, cancels, said, ...rest }]) =>
    names.map((variant) => ({ state, variant, opened, cancels, said, rest })),
  );
  test.concurrent.each(cases)('in state "$state", $variant gets its verdict', async (given) => {
    const { mux, peer } = await muxAndPeer('client');
    const call = given.opened ? mux.open(echoRequest) : undefined;
    if (call !== undefined) {
      await peer.frame('open');
      if (given.cancels) {
        call.cancel();
        await peer.frame('cancel');
      }
    }
    say(peer, ...given.said, given.variant);
    const verdict = openings.includes(given.variant)
      ? 'stream-id'
      : expected(given.variant, given.rest);
    expect(await peer.verdict()).toBe(verdict);
    // A closed link also settles the call.
    if (verdict !== 'legal') await call?.outcome;
  });
});

/** Each frame arrives in each state of a stream at its target. */
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
import { muxAndPeer } from './raw-peer.ts';

describe('a stream at its target', () => {
  const targetsOwn = ['refuse', ...outputs, 'exit'] as const;
  const wrong = [...targetsOwn, ...aboutStdin];
  const open = [...stdin, ...aboutStdout, ...aboutStderr, 'cancel'] as const;
  const states: Record<string, Expected & { said: Variant[]; ends?: boolean; after?: Variant[] }> =
    {
      unopened: { said: [], legal: openings, direction: [] },
      open: { said: ['open'], legal: open, direction: wrong },
      vouched: { said: ['vouch'], legal: open, direction: wrong },
      'open, in use': { said: ['open', 'stdin', 'creditStdout'], legal: open, direction: wrong },
      'open, stdin ended': {
        said: ['open', 'stdinEnd'],
        legal: open.filter((name) => name !== 'stdin' && name !== 'stdinEnd'),
        direction: wrong,
      },
      'open, stdout stopped': {
        said: ['open', 'stopStdout'],
        legal: [...stdin, ...aboutStderr, 'cancel'],
        direction: wrong,
      },
      'open, stderr stopped': {
        said: ['open', 'stopStderr'],
        legal: [...stdin, ...aboutStdout, 'cancel'],
        direction: wrong,
      },
      cancelled: { said: ['open', 'cancel'], legal: [], direction: targetsOwn },
      ended: { said: ['open'], ends: true, legal: [...open, 'release'], direction: wrong },
      'ended after stdin and stdout': {
        said: ['open', 'stdinEnd', 'stopStdout'],
        ends: true,
        legal: [...aboutStderr, 'cancel', 'release'],
        direction: wrong,
      },
      'cancelled, then ended': {
        said: ['open', 'cancel'],
        ends: true,
        legal: ['release'],
        direction: targetsOwn,
      },
      'ended, then cancelled': {
        said: ['open'],
        ends: true,
        after: ['cancel'],
        legal: ['release'],
        direction: targetsOwn,
      },
      released: {
        said: ['open'],
        ends: true,
        after: ['release'],
        legal: [],
        direction: [],
      },
    };
  const cases = Object.entries(states).flatMap(([state, { said, ends, after = [], ...rest }]) =>
    names.map((variant) => ({ state, variant, said, ends, after, rest })),
  );
  test.concurrent.each(cases)(
    'in state "$state", $variant gets its verdict',
    async ({ variant, said, ends, after, rest }) => {
      const { peer, call } = await muxAndPeer('server');
      say(peer, ...said);
      if (ends) {
        (await call()).exit(3);
        await peer.frame('exit');
      }
      say(peer, ...after, variant);
      const known = said.length > 0;
      const again = openings.includes(variant) && known ? 'stream-id' : expected(variant, rest);
      expect(await peer.verdict()).toBe(again);
    },
  );
  test.concurrent.each(names)('after a refusal, %s gets its verdict', async (variant) => {
    const { peer, call } = await muxAndPeer('server');
    say(peer, 'open');
    (await call()).refuse({ code: 'denied', text: 'no' });
    await peer.frame('refuse');
    say(peer, variant);
    const again = expected(variant, { legal: [...open, 'release'], direction: wrong });
    expect(await peer.verdict()).toBe(openings.includes(variant) ? 'stream-id' : again);
  });
});

/**
 * A VM with a hostile agent. Usage: hostile SERVER-DOMID MODE PEER-PROGRAM.
 * Prints a line when its attack has begun.
 */

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { clientRendezvous } from '../../../../src/ipc/agent/client-rendezvous.ts';
import { newNonce, ownPath, writeLinkRequest } from '../../../../src/ipc/agent/rendezvous.ts';
import type { CallRequest } from '../../../../src/ipc/protocol/call.ts';
import { openMux } from '../../../../src/ipc/protocol/mux.ts';
import { openXenstore } from '../../../../src/xen/xenstore.ts';
import { readNode } from '../../../rig/sim/node-state.ts';
import { domidOf } from '../../../support/domid.ts';
import { until } from '../../../support/until.ts';

const [server = '', mode = '', peerProgram = ''] = process.argv.slice(2);

const frame = (type: number, stream: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt8(type, 0);
  header.writeUInt16LE(payload.length, 2);
  header.writeUInt32LE(stream, 4);
  return Buffer.concat([header, payload]);
};

/** Writes `bytes` again and again, as fast as the link takes them. */
const flood = (link: Duplex, bytes: Buffer): void => {
  const more = (): void => {
    while (!link.destroyed && link.write(bytes));
  };
  link.on('drain', more);
  more();
};

/** Keeps 100 calls open: each call that ends is followed by a new one at once. */
const callOnAndOn = (link: Duplex, request: CallRequest): void => {
  const mux = openMux(link, { role: 'client', name: 'calls', onCall: () => {} });
  const callAgain = (): void => {
    if (link.destroyed) return;
    void mux.open(request).outcome.then(callAgain);
  };
  void mux.ready.then(() => {
    for (let call = 0; call < 100; call++) callAgain();
  });
};

const attacks: Readonly<Record<string, (link: Duplex) => void>> = {
  garbage: (link) => link.write(randomBytes(4096)),
  mute: () => {},
  /** Opens as many calls as the protocol allows, and reads no output. */
  greedy: (link) => {
    const mux = openMux(link, { role: 'client', name: 'greedy', onCall: () => {} });
    void mux.ready.then(() => {
      for (let call = 0; call < 1024; call++)
        mux.open({ target: '', service: 'zeros', argument: '' }).stdin.end();
    });
  },
  calls: (link) => callOnAndOn(link, { target: '', service: 'nothing', argument: '' }),
  /** Claims in each call to call on behalf of another VM. */
  vouches: (link) =>
    callOnAndOn(link, {
      target: '',
      service: 'cat',
      argument: '',
      source: `vm${randomBytes(4).toString('hex')}`,
    }),
  /** Asks a VM that is not a relay to relay its calls. */
  onward: (link) => callOnAndOn(link, { target: 'workload-vm', service: 'cat', argument: '' }),
  pings: (link) => {
    const mux = openMux(link, { role: 'client', name: 'pings', onCall: () => {} });
    void mux.ready.then(() => {
      const ping = frame(2, 0, Buffer.alloc(8));
      flood(link, Buffer.concat(Array.from({ length: 1000 }, () => ping)));
    });
  },
};

const store = openXenstore();
const client = domidOf(await store.read('domid'));
const pair = { server: domidOf(server), client };

const link = (attack: (link: Duplex) => void): void => {
  clientRendezvous(store, pair, () => {}).subscribe(({ link }) => {
    console.log('linked');
    link.on('error', () => {});
    attack(link);
  });
};

/** Starts the peer program, which uses libxenvchan and then misuses the ring as `violation` says. */
const attackRing = async (violation: string): Promise<void> => {
  const nonce = newNonce();
  const session = `${ownPath(pair)}/session`;
  await writeLinkRequest(store, pair, nonce);
  await until(
    'the server offers a session',
    async () => (await readNode(store, session)) === nonce,
  );
  const argv = [
    '--pdeathsig',
    'KILL',
    '--',
    peerProgram,
    'client',
    server,
    ownPath(pair),
    violation,
  ];
  spawn('setpriv', argv, { stdio: ['ignore', 'inherit', 'inherit'] });
};

const requestForEver = async (): Promise<void> => {
  console.log('asking');
  for (;;) await writeLinkRequest(store, pair, newNonce());
};

const attack = attacks[mode];
if (attack !== undefined) link(attack);
else if (mode === 'requests') await requestForEver();
else await attackRing(mode);

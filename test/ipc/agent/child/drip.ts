/**
 * A VM that calls without end and writes its frames byte by byte, with an event for each byte.
 * Usage: drip SERVER-DOMID. Prints "linked" when it begins.
 */
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { clientRendezvous } from '../../../../src/ipc/agent/client-rendezvous.ts';
import { openMux } from '../../../../src/ipc/protocol/mux.ts';
import { openXenstore } from '../../../../src/xen/xenstore.ts';
import { domidOf } from '../../../support/domid.ts';

const [server = ''] = process.argv.slice(2);
const callsAtOnce = 50;

const writeDrop = (link: Duplex, drop: Buffer): Promise<void> =>
  new Promise((resolve) => {
    link.write(drop, () => resolve());
  });

const dripping = (link: Duplex): Duplex => {
  const writeSlowly = async (chunk: Buffer): Promise<void> => {
    for (let at = 0; at < chunk.length; at += 1) {
      await writeDrop(link, chunk.subarray(at, at + 1));
      await nextTurn();
    }
  };
  const outer = new Duplex({
    allowHalfOpen: false,
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      writeSlowly(chunk).then(() => done(), done);
    },
  });
  link.on('data', (data) => outer.push(data));
  link.on('close', () => outer.destroy());
  link.on('error', () => outer.destroy());
  outer.on('error', () => {});
  return outer;
};

const store = openXenstore();
const client = domidOf(await store.read('domid'));
clientRendezvous(store, { server: domidOf(server), client }, () => {}).subscribe(({ link }) => {
  const mux = openMux(dripping(link), { role: 'client', name: 'drip', onCall: () => {} });
  const request = { target: '', service: 's'.repeat(60), argument: 'a'.repeat(190) };
  const callAgain = (): void => {
    if (!link.destroyed) void mux.open(request).outcome.then(callAgain);
  };
  void mux.ready.then(() => {
    for (let call = 0; call < callsAtOnce; call += 1) callAgain();
  });
  console.log('linked');
});

/** A VM whose agent means ill: hostile.ts SERVER-DOMID MODE. Writes "linked" when it has a link, and what became of it. */

import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { joinDomain } from '../../../src/agent/joining.ts';
import { openMux } from '../../../src/protocol/mux.ts';
import { openXenstore } from '../../../src/xen/xenstore.ts';

const [server = '', mode = ''] = process.argv.slice(2);

const frame = (type: number, stream: number, payload: Buffer): Buffer => {
  const header = Buffer.alloc(8);
  header.writeUInt8(type, 0);
  header.writeUInt16LE(payload.length, 2);
  header.writeUInt32LE(stream, 4);
  return Buffer.concat([header, payload]);
};

/** As fast as the link takes them. */
const flood = (link: Duplex, bytes: Buffer): void => {
  const more = (): void => {
    while (!link.destroyed && link.write(bytes));
  };
  link.on('drain', more);
  more();
};

const attacks: Readonly<Record<string, (link: Duplex) => void>> = {
  garbage: (link) => link.write(randomBytes(4096)),
  mute: () => {},
  /** Opens all it may, and reads nothing that comes. */
  greedy: (link) => {
    const mux = openMux(link, { role: 'client', name: 'greedy', onCall: () => {} });
    void mux.ready.then(() => {
      for (let call = 0; call < 1024; call++)
        mux.open({ target: '', service: 'zeros', argument: '' }).stdin.end();
    });
  },
  /** Calls and calls, without a pause. */
  calls: (link) => {
    const mux = openMux(link, { role: 'client', name: 'calls', onCall: () => {} });
    const callAgain = (): void => {
      if (link.destroyed) return;
      const call = mux.open({ target: '', service: 'nothing', argument: '' });
      void call.outcome.then(callAgain);
    };
    void mux.ready.then(() => {
      for (let call = 0; call < 100; call++) callAgain();
    });
  },
  pings: (link) => {
    const mux = openMux(link, { role: 'client', name: 'pings', onCall: () => {} });
    void mux.ready.then(() => {
      const ping = frame(2, 0, Buffer.alloc(8));
      flood(link, Buffer.concat(Array.from({ length: 1000 }, () => ping)));
    });
  },
};

const store = openXenstore();
const client = Number(await store.read('domid'));
joinDomain(store, { server: Number(server), client }, () => {}).subscribe(({ link }) => {
  console.log('linked');
  link.on('error', () => {});
  link.on('close', () => console.log('closed'));
  attacks[mode]?.(link);
});

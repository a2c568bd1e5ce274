/**
 * A VM whose agent speaks version 1 of the protocol, frame by frame. Usage: version-one SERVER-DOMID.
 * It calls `cat` once and prints the result. It prints each incoming call and ends it with status 42.
 */
import { clientRendezvous } from '../../../../src/ipc/agent/client-rendezvous.ts';
import { createDecoder, type FrameName, writeHeader } from '../../../../src/ipc/protocol/frame.ts';
import { headerBytes } from '../../../../src/ipc/protocol/limits.ts';
import { openXenstore } from '../../../../src/xen/xenstore.ts';
import { domidOf } from '../../../support/domid.ts';

const [server = ''] = process.argv.slice(2);

const store = openXenstore();
const client = domidOf(await store.read('domid'));

clientRendezvous(store, { server: domidOf(server), client }, () => {}).subscribe(({ link }) => {
  const send = (name: FrameName, stream: number, payload: Buffer | string = ''): void => {
    const bytes = Buffer.from(payload);
    const header = Buffer.alloc(headerBytes);
    writeHeader(header, 0, name, stream, bytes.length);
    link.write(Buffer.concat([header, bytes]));
  };
  const call = (): void => {
    send('open', 1, '\0\x03cat\0');
    send('stdin', 1, 'of old');
    send('stdin', 1);
  };
  const answers: Partial<Record<FrameName, (stream: number, payload: Buffer) => void>> = {
    hello: call,
    ping: (_stream, payload) => send('pong', 0, payload),
    stdout: (_stream, payload) => {
      if (payload.length > 0) console.log(`stdout ${payload}`);
    },
    exit: (stream, payload) => {
      console.log(`exit ${payload[0]}`);
      send('release', stream);
    },
    open: (stream, payload) => {
      console.log(`called ${JSON.stringify(payload.toString('latin1'))}`);
      send('stdout', stream);
      send('stderr', stream);
      send('exit', stream, '*');
    },
    vouch: () => console.log('vouched'),
    goodbye: (_stream, payload) => console.log(`goodbye ${payload.toString('latin1', 1)}`),
  };
  const decode = createDecoder((name, stream, payload) => answers[name]?.(stream, payload));
  link.on('data', decode).on('error', () => {});
  send('hello', 0, 'VFWI\x01\0\x01\0\x03old');
});

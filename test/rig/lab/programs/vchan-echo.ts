/**
 * vchan-echo server|client DOMID PATH: one end of a vchan, which returns all input and ends when the peer
 * closes.
 */
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { publishOffer, readOffer } from '../../../../src/ipc/vchan/nodes.ts';
import { joinVchan, openVchanServer } from '../../../../src/ipc/vchan/vchan.ts';
import { connect } from '../../../../src/xen/connect.ts';
import { domidOf } from '../../../support/domid.ts';
import { until } from '../until.ts';

const [role, peer = '', path = ''] = process.argv.slice(2);
const domid = domidOf(peer);
const { store, domid: own } = await connect();

const serve = async (): Promise<Duplex> => {
  const offer = openVchanServer(domid).offer();
  await publishOffer(store, path, { server: own, client: domid }, offer);
  return await offer.connected;
};

const join = async (): Promise<Duplex> => {
  const offer = await until(
    () => readOffer(store, path),
    () => `no vchan offer at ${path}`,
  );
  return joinVchan(domid, offer.ringRef, offer.eventChannel);
};

const link = role === 'server' ? await serve() : await join();
await pipeline(link, link);
process.exit();

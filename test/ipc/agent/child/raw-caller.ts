/**
 * A VM whose agent sends arbitrary requests. Usage: raw-caller SERVER-DOMID REQUESTS.
 * Reads the requests and prints the outcomes as JSON.
 */
import { clientRendezvous } from '../../../../src/ipc/agent/client-rendezvous.ts';
import type { CallRequest } from '../../../../src/ipc/protocol/call.ts';
import { openMux } from '../../../../src/ipc/protocol/mux.ts';
import { openXenstore } from '../../../../src/xen/xenstore.ts';
import { domidOf } from '../../../support/domid.ts';

const [server = '', text = ''] = process.argv.slice(2);
const requests = JSON.parse(text) as CallRequest[];

const store = openXenstore();
const client = domidOf(await store.read('domid'));
const pair = { server: domidOf(server), client };
const link = await new Promise<Parameters<typeof openMux>[0]>((resolve, reject) => {
  clientRendezvous(store, pair, () => {}).subscribe({
    next: (meeting) => resolve(meeting.link),
    error: reject,
  });
});
const mux = openMux(link, { role: 'client', name: 'raw', onCall: () => {} });
await mux.ready;
const outcomes = requests.map((request) => {
  const call = mux.open(request);
  call.stdin.end();
  call.stdout.resume();
  call.stderr.resume();
  return call.outcome;
});
process.stdout.write(JSON.stringify(await Promise.all(outcomes)), () => process.exit(0));

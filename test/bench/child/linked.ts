/**
 * A caller in domain CLIENT that is itself the end of a link with SERVER's agent, without the hop of a local
 * program.
 *   linked SERVER CLIENT COUNT  prints the median of round trips with the service "echo" (JSON, microseconds)
 */
import { clientRendezvous } from '../../../src/ipc/agent/client-rendezvous.ts';
import { openMux } from '../../../src/ipc/protocol/mux.ts';
import { connect } from '../../../src/xen/connect.ts';
import { roundTrips } from './round-trips.ts';

const [server = 0, client = 0, count = 0] = process.argv.slice(2).map(Number);

const { store } = await connect();
const links = clientRendezvous(store, { server, client }, () => {});
const subscription = links.subscribe(async ({ link }) => {
  const mux = openMux(link, { role: 'client', name: 'bench', onCall: () => {} });
  const { stdin, stdout } = mux.open({ target: '', service: 'echo', argument: '' });
  console.log(JSON.stringify(await roundTrips(stdin, stdout, count)));
  mux.close({ code: 'shutdown', text: 'done' });
  await mux.closed;
  subscription.unsubscribe();
  store.close();
});

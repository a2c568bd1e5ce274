/**
 * A caller in domain CLIENT that is itself the end of a link with SERVER's agent, without the hop of a local
 * program.
 *   linked SERVER CLIENT COUNT  prints the median of round trips with the service "echo" (JSON, microseconds)
 */
import { clientRendezvous } from '../../../src/ipc/agent/client-rendezvous.ts';
import { openMux } from '../../../src/ipc/protocol/mux.ts';
import { connect } from '../../../src/xen/connect.ts';
import { domidOf } from '../../support/domid.ts';
import { roundTrips } from './round-trips.ts';

const [server = '', client = '', count = ''] = process.argv.slice(2);

const { store } = await connect();
const links = clientRendezvous(
  store,
  { server: domidOf(server), client: domidOf(client) },
  () => {},
);
const subscription = links.subscribe(async ({ link }) => {
  const mux = openMux(link, { role: 'client', name: 'bench', onCall: () => {} });
  const { stdin, stdout } = mux.open({ target: '', service: 'echo', argument: '' });
  console.log(JSON.stringify(await roundTrips(stdin, stdout, Number(count))));
  mux.close({ code: 'shutdown', text: 'done' });
  await mux.closed;
  subscription.unsubscribe();
  store.close();
});

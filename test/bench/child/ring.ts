/**
 * An end of a bare vchan, without an agent or the call protocol.
 *   ring echo DOMID                      prints the offer as JSON, then returns its input
 *   ring ping DOMID RING-REF PORT COUNT  prints the median of COUNT round trips as JSON, in microseconds
 */
import { joinVchan, openVchanServer } from '../../../src/ipc/vchan/vchan.ts';
import { domidOf } from '../../support/domid.ts';
import { roundTrips } from './round-trips.ts';

const [mode, domid = '', ...numbers] = process.argv.slice(2);
const [ringRef = 0, eventChannel = 0, count = 0] = numbers.map(Number);

if (mode === 'echo') {
  const server = openVchanServer(domidOf(domid));
  const { connected, ...offer } = server.offer();
  console.log(JSON.stringify(offer));
  const vchan = await connected;
  vchan.on('data', (bytes) => vchan.write(bytes));
  vchan.once('close', () => server.close());
} else {
  const vchan = joinVchan(domidOf(domid), ringRef, eventChannel);
  console.log(JSON.stringify(await roundTrips(vchan, vchan, count)));
  vchan.destroy();
}

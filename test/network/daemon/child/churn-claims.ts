/**
 * A guest that claims new addresses, then closes and opens its frontend, as fast as netback follows.
 * Usage: churn-claims SECONDS GUEST small|big.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { openXenstore } from '../../../../src/xen/xenstore.ts';
import { readNode } from '../../../rig/sim/node-state.ts';

const [seconds, guest = '', kind = 'small'] = process.argv.slice(2);
const frontend = `/local/domain/${guest}/device/vif/0`;
const backend = `/local/domain/2/backend/vif/${guest}/0/state`;
const store = openXenstore();
const end = performance.now() + 1000 * Number(seconds);
const isOver = (): boolean => performance.now() > end;

const netbackBecomes = async (...states: string[]): Promise<void> => {
  for (let attempt = 0; attempt < 100 && !isOver(); attempt += 1) {
    if (states.includes((await readNode(store, backend)) ?? '')) return;
    await delay(2);
  }
};

const many = Array.from({ length: 378 }, (_, index) => `${(index + 16).toString(16)}::`);

for (let round = 1; !isOver(); round += 1) {
  const address = `6.0.${Math.floor(round / 256) % 256}.${round % 256}`;
  const claim = kind === 'big' ? [address, ...many].join(' ').slice(0, 1_980) : address;
  await store.write(`${frontend}/ip`, claim);
  await store.write(`${frontend}/state`, '5');
  await netbackBecomes('5', '6');
  await store.write(`${frontend}/state`, '6');
  await store.write(`${frontend}/state`, '1');
  await netbackBecomes('2');
  await store.write(`${frontend}/state`, '4');
  await netbackBecomes('4');
  await delay(3);
}
store.close();

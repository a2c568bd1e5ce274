/**
 * Opens connections, then closes them, or forgets them for the garbage collector. Prints the numbers of
 * threads and descriptors before, meanwhile and after.
 */
import { stat } from 'node:fs/promises';
import { firstValueFrom } from 'rxjs';
import { openXenstore, type Xenstore } from '../../../src/xen/xenstore.ts';
import { residue, settledResidue } from './residue.ts';

const [end] = process.argv.slice(2);

const use = async (): Promise<Xenstore> => {
  const connection = openXenstore();
  await firstValueFrom(connection.watch('data'));
  await connection.read('domid');
  return connection;
};

const useAndEnd = async (): Promise<void> => {
  const connection = await use();
  if (end === 'close') connection.close();
};

// libuv starts its worker threads with their first work.
await Promise.all(Array.from({ length: 8 }, () => stat('/')));
const before = residue();
const connections = await Promise.all(Array.from({ length: 20 }, use));
const open = residue();
for (const connection of connections.splice(0)) connection.close();
const closed = await settledResidue(before);
for (let i = 0; i < 5; i++) await Promise.all(Array.from({ length: 20 }, useAndEnd));
const after = await settledResidue(before);
console.log(JSON.stringify({ before, open, closed, after }));

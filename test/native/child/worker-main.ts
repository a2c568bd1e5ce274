/** Terminates workers while they use a connection; prints the threads and descriptors before and after. */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { isMainThread, Worker } from 'node:worker_threads';
import { residue, settledResidue } from './residue.ts';
import { work } from './worker.ts';

const [task = '', rounds = '', store = ''] = process.argv.slice(2);
const signal = (name: 'SIGSTOP' | 'SIGCONT') => store !== '' && process.kill(Number(store), name);

const run = async (): Promise<unknown> => {
  const worker = new Worker(new URL(import.meta.url), { workerData: task });
  const [said] = await once(worker, 'message');
  if (said === 'stop the store') {
    signal('SIGSTOP');
    worker.postMessage('stopped');
    await once(worker, 'message');
  }
  await worker.terminate();
  return said;
};

const main = async (): Promise<void> => {
  await Promise.all(Array.from({ length: 8 }, () => stat('/')));
  await new Worker('', { eval: true }).terminate();
  const before = residue();
  const said: unknown[] = [];
  for (let round = 0; round < Number(rounds); round++) {
    said.push(await run());
    signal('SIGCONT');
  }
  console.log(
    JSON.stringify({ said: [...new Set(said)], before, after: await settledResidue(before) }),
  );
};

await (isMainThread ? main() : work());

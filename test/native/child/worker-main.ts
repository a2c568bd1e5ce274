/** Ends workers in the middle of what they do with a connection; prints what is left of them. */
import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { residue, settledResidue } from './residue.ts';

const [task = '', rounds = '', store = ''] = process.argv.slice(2);
const signal = (name: 'SIGSTOP' | 'SIGCONT') => store !== '' && process.kill(Number(store), name);

// In Node 20 a worker does not take over the loader that makes this TypeScript run.
const start = `import('tsx/esm/api').then((tsx) => {
  tsx.register();
  return import('${new URL('worker.ts', import.meta.url)}');
})`;

const run = async (): Promise<unknown> => {
  const worker = new Worker(start, { eval: true, workerData: task });
  const [said] = await once(worker, 'message');
  if (said === 'stop the store') {
    signal('SIGSTOP');
    worker.postMessage('stopped');
    await once(worker, 'message');
  }
  await worker.terminate();
  return said;
};

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

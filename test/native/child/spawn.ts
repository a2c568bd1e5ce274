/**
 * Starts many programs through the addon, with libuv's programs and failing starts among them, and one
 * program in a worker that is terminated. Prints the number of wrong ends, and the processes, threads and
 * descriptors that are left.
 */
import { spawn as spawnByLibuv } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { addonFile } from '../../../src/package.ts';
import { loadNative, type Program } from '../../../src/xen/native.ts';
import { residue, settledResidue } from './residue.ts';

const { spawn } = loadNative();
const nowhere = openSync('/dev/null', 'r+');

const program = (path: string, ...args: string[]): Program => ({
  path,
  argv: [path, ...args],
  environment: [],
  identity: undefined,
  descriptors: [nowhere, nowhere, nowhere],
});

const script = (index: number) => (index % 10 === 9 ? 'kill -KILL $$' : `exit ${index}`);
const expected = (index: number) => (index % 10 === 9 ? 128 + 9 : index);

const isRight = (index: number): Promise<boolean> =>
  new Promise((resolve) => {
    const identity = index % 2 === 0 ? undefined : { uid: 65534, gid: 65534 };
    spawn({ ...program('/bin/sh', '-c', script(index)), identity }, (status) => {
      resolve(status === expected(index));
    });
  });

const isLibuvsRight = async (index: number): Promise<boolean> => {
  const child = spawnByLibuv('/bin/sh', ['-c', script(index)], { env: {}, stdio: 'ignore' });
  const [status, signal] = await once(child, 'exit');
  return (signal === 'SIGKILL' ? 137 : status) === expected(index);
};

const fails = (): boolean => {
  try {
    spawn(program('/no/such/file'), () => {});
    return false;
  } catch {
    return true;
  }
};

const children = (): string[] =>
  readdirSync('/proc/self/task').flatMap((thread) =>
    readFileSync(`/proc/self/task/${thread}/children`, 'latin1').split(' ').filter(Boolean),
  );

const worker = `
  const { parentPort, workerData } = require('node:worker_threads');
  const { addonFile, program } = workerData;
  parentPort.postMessage(require(addonFile).spawn(program, () => {}));
`;

const endWorker = async (): Promise<void> => {
  const workerData = { addonFile, program: program('/bin/sleep', '60') };
  const running = new Worker(worker, { eval: true, workerData });
  const [pid] = await once(running, 'message');
  await running.terminate();
  process.kill(pid);
};

await Promise.all(Array.from({ length: 8 }, () => stat('/')));
await new Worker('', { eval: true }).terminate();
await isLibuvsRight(0);
const others = children(); // started by the loader
const before = residue();
const right: (boolean | Promise<boolean>)[] = [];
for (let index = 0; index < 200; index += 1) {
  right.push(isRight(index));
  if (index % 5 === 4) right.push(isLibuvsRight(index), fails());
}
const wrong = (await Promise.all(right)).filter((is) => !is).length;
const left = children().filter((pid) => !others.includes(pid));
await endWorker();
console.log(JSON.stringify({ wrong, left, before, after: await settledResidue(before) }));

/**
 * Runs in its own network namespace. Watches tc while it adds and removes qdiscs, misuses the watch, forgets one,
 * and ends a worker with an open one. Prints what went wrong, and the descriptors that are left.
 */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { addonFile } from '../../../src/package.ts';
import { loadNative } from '../../../src/xen/native.ts';
import { until } from '../../support/until.ts';
import { residue, settledResidue } from './residue.ts';

const { ingressQdiscs, isOpenForWriting, tcxLinks, TrafficControlWatch } = loadNative();
const wrong: string[] = [];

const expect = (what: string, is: unknown, wanted: unknown): void => {
  if (JSON.stringify(is) !== JSON.stringify(wanted)) wrong.push(`${what}: ${JSON.stringify(is)}`);
};

execFileSync('true');
const before = residue();

const links = 300;
const names = Array.from({ length: links }, (_, index) => `d${index}`);

const batch = (tool: 'ip' | 'tc', ...lines: readonly string[]): void => {
  execFileSync(tool, ['-batch', '-'], { input: `${lines.join('\n')}\n` });
};

let changes = 0;
const watch = new TrafficControlWatch(() => {
  changes += 1;
});
batch('ip', ...names.map((name) => `link add ${name} type bridge`));
expect('without qdiscs', ingressQdiscs(), []);
expect('without TCX programs', tcxLinks([1, 2, 3, 1_000_000]), []);
const heard = changes;
batch(
  'tc',
  ...names.map((name, at) => `qdisc add dev ${name} ${at % 2 === 0 ? 'clsact' : 'ingress'}`),
);
await until('the watch hears of the qdiscs', () => changes > heard);
expect('the qdiscs', ingressQdiscs().length, links);
batch('tc', 'qdisc add dev d2 root pfifo', 'qdisc del dev d1 ingress');
expect('the qdiscs that are left', ingressQdiscs().length, links - 1);
batch('ip', 'link del d0');
expect('the links that are left', ingressQdiscs().length, links - 2);
watch.close();
watch.close();
const last = changes;
batch('tc', 'qdisc del dev d2 clsact');
expect('after the close', changes, last);

const file = openSync(addonFile, 'r');
expect('a file that nobody writes', isOpenForWriting(file), false);
closeSync(file);

const worker = new Worker(
  `const { parentPort, workerData } = require('node:worker_threads');
   const { TrafficControlWatch } = require(workerData);
   globalThis.kept = new TrafficControlWatch(() => {});
   new TrafficControlWatch(() => { throw new Error('a callback throws'); });
   parentPort.postMessage('watching');`,
  { eval: true, workerData: addonFile },
);
const failed = once(worker, 'error');
await once(worker, 'message');
batch('tc', 'qdisc del dev d4 clsact');
expect('the error', `${(await failed)[0]}`, 'Error: a callback throws');

process.stdout.write(JSON.stringify({ wrong, before, after: await settledResidue(before) }));

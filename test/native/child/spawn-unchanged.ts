/** Starts programs as another user; prints the attributes of each thread of this process before and after. */
import { openSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { loadNative, type Program } from '../../../src/xen/native.ts';
import { until } from '../../support/until.ts';

const { spawn } = loadNative();
const nowhere = openSync('/dev/null', 'r+');

const start = (path: string): Promise<number> =>
  new Promise((resolve) => {
    const program: Program = {
      path,
      argv: [path],
      environment: [],
      identity: { uid: 65534, gid: 65534 },
      descriptors: [nowhere, nowhere, nowhere],
    };
    spawn(program, resolve);
  });

const ofThread = (thread: string) => ({
  status: readFileSync(`/proc/self/task/${thread}/status`, 'latin1')
    .split('\n')
    .filter((line) => /^(Umask|Uid|Gid|Groups|NSpgid|NSsid|Sig(Blk|Ign|Cgt)|Cap\w+):/.test(line)),
  cwd: readlinkSync(`/proc/self/task/${thread}/cwd`),
  // The group would be root's if the process had become undumpable.
  owner: statSync(`/proc/self/task/${thread}/fd`).gid,
});

const facts = () => readdirSync('/proc/self/task').map(ofThread);

/** glibc blocks its own signals, 32 and 33, in a thread only while it starts the thread. */
const starting = 0x180000000n;

const isStarting = ({ status }: ReturnType<typeof ofThread>): boolean =>
  status.some((line) => {
    const blocked = /^SigBlk:\s*(\w+)$/.exec(line)?.[1];
    return blocked !== undefined && (BigInt(`0x${blocked}`) & starting) !== 0n;
  });

await Promise.all(Array.from({ length: 8 }, () => stat('/')));
await until('all threads have started', () => !facts().some(isStarting));
const before = facts();
for (let round = 0; round < 10; round += 1) {
  await start('/bin/true');
  await start('/no/such/file').catch(() => {});
}
console.log(JSON.stringify({ before, after: facts() }));

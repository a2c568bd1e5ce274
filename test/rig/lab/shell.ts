import { once } from 'node:events';
import { join } from 'node:path';
import { openLab } from './lab-host.ts';
import { say, step } from './progress.ts';
import { logDirectory } from './run.ts';
import { readySnapshot } from './snapshot.ts';

const leave = '\x1d';

/** Connects the user to dom0's console until Ctrl-], or until standard input ends. */
export const openShell = async (): Promise<void> => {
  const host = await openLab(await readySnapshot(), join(logDirectory(), 'shell'));
  await step('starting vifwatch in net-vm', host.startDaemon);
  say('this is dom0: try "xl list" and "xl create /etc/xen/guest.cfg"; leave with Ctrl-]');
  const { stdin, stdout } = process;
  const { console } = host.machine;
  console.pipe(stdout);
  console.write('\n');
  if (stdin.isTTY) stdin.setRawMode(true);
  stdin.on('data', (typed) => {
    if (typed.includes(leave)) stdin.emit('end');
    else console.write(typed);
  });
  await once(stdin, 'end');
  if (stdin.isTTY) stdin.setRawMode(false);
  stdin.unref();
  stdout.write('\n');
  await host.close();
};

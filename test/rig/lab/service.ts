import type { Host } from '../host.ts';
import { must, type Run } from './command.ts';
import { endOf } from './processes.ts';

/** The supervisor's pid file, from `openrc/vifwatch.initd`. */
const pidFile = '/run/vifwatch.pid';

/** Starts and signals the daemon as an OpenRC service in net-vm. */
export const openService = (inNetVm: Run): Pick<Host, 'startDaemon' | 'signalDaemon'> => ({
  startDaemon: async () => {
    await must(inNetVm, ['rc-service', 'vifwatch', 'start']);
  },
  signalDaemon: async (signal) => {
    if (signal === 'SIGTERM') await must(inNetVm, ['rc-service', 'vifwatch', 'stop']);
    else if (signal === 'SIGKILL') await kill(inNetVm);
    else await must(inNetVm, ['kill', `-${signal.slice(3)}`, (await processes(inNetVm)).daemon]);
  },
});

const kill = async (inNetVm: Run): Promise<void> => {
  const { supervisor, daemon } = await processes(inNetVm);
  // The supervisor is killed first; otherwise it would start another daemon.
  await must(inNetVm, ['kill', '-KILL', supervisor, daemon]);
  await endOf(inNetVm, daemon);
  // "zap" tells OpenRC that the service is stopped.
  await must(inNetVm, ['rc-service', 'vifwatch', 'zap']);
};

type Processes = { readonly supervisor: string; readonly daemon: string };

const processes = async (inNetVm: Run): Promise<Processes> => {
  const supervisor = await must(inNetVm, ['cat', pidFile]);
  const daemon = await must(inNetVm, ['cat', `/proc/${supervisor}/task/${supervisor}/children`]);
  if (daemon === '') throw new Error('the supervisor has no daemon');
  return { supervisor, daemon };
};

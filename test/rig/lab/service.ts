import type { Host, Output } from '../host.ts';

type Run = (argv: readonly string[]) => Promise<Output>;

/** Where supervise-daemon keeps its own process id, as `openrc/vifwatch.initd` says. */
const pidFile = '/run/vifwatch.pid';

/** The daemon as OpenRC's service in net-vm. */
export const openService = (inNetVm: Run): Pick<Host, 'startDaemon' | 'signalDaemon'> => {
  const must = async (argv: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await inNetVm(argv);
    if (status !== 0) throw new Error(`${argv.join(' ')}: status ${status}: ${stderr}${stdout}`);
    return stdout.trim();
  };
  const kill = async (): Promise<void> => {
    const { supervisor, daemon } = await processes(must);
    // The supervisor first, or it would start another daemon.
    await must(['kill', '-KILL', supervisor, daemon]);
    while ((await inNetVm(['test', '-e', `/proc/${daemon}`])).status === 0);
    // OpenRC takes the service for started until somebody tells it otherwise.
    await must(['rc-service', 'vifwatch', 'zap']);
  };
  return {
    startDaemon: async () => {
      await must(['rc-service', 'vifwatch', 'start']);
    },
    signalDaemon: async (signal) => {
      if (signal === 'SIGTERM') await must(['rc-service', 'vifwatch', 'stop']);
      else if (signal === 'SIGKILL') await kill();
      else await must(['kill', `-${signal.slice(3)}`, (await processes(must)).daemon]);
    },
  };
};

const processes = async (
  must: (argv: readonly string[]) => Promise<string>,
): Promise<{ readonly supervisor: string; readonly daemon: string }> => {
  const supervisor = await must(['cat', pidFile]);
  const daemon = await must(['cat', `/proc/${supervisor}/task/${supervisor}/children`]);
  if (daemon === '') throw new Error('the supervisor has no daemon');
  return { supervisor, daemon };
};

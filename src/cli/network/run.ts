/** `vifwatch run`: reads the configuration and runs the network daemon. */
import { loadConfig, policyDirectory } from '../../network/config/config.ts';
import { runDaemon } from '../../network/daemon/run.ts';
import { type DaemonValues, daemonProcess } from '../daemon-process.ts';

/** @returns the exit status */
export const runNetwork = (options: DaemonValues): Promise<number> =>
  daemonProcess(options, async (log) => {
    const config = await loadConfig(options.config);
    const policies = policyDirectory(options.config);
    await runDaemon({ config, policies, runtime: options.runtime, log });
  });

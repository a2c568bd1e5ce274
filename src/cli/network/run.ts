/** `vifwatch run`: reads the configuration and runs the network daemon. */
import { loadConfig, policyDirectory } from '../../network/config/config.ts';
import { runDaemon } from '../../network/daemon/run.ts';
import { daemonProcess } from '../daemon-process.ts';

/** @returns the exit status */
export const runNetwork = (options: {
  readonly config: string;
  readonly runtime: string;
  readonly debug?: true;
}): Promise<number> =>
  daemonProcess(options, async (log) => {
    const config = await loadConfig(options.config);
    const policies = policyDirectory(options.config);
    await runDaemon({ config, policies, runtime: options.runtime, log });
  });

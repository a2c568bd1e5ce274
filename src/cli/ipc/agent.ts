/** `vifwatch agent`. */
import { runAgent } from '../../ipc/agent/run.ts';
import { agentPaths, loadAgentConfig } from '../../ipc/config/agent-config.ts';
import { closeInherited } from '../../ipc/services/inherited.ts';
import { type DaemonValues, daemonProcess } from '../daemon-process.ts';

export const agent = (options: DaemonValues): Promise<number> =>
  daemonProcess(options, async (log) => {
    closeInherited();
    const paths = agentPaths(options.config);
    const config = await loadAgentConfig(paths.config);
    await runAgent({ config, paths, runtime: options.runtime, log });
  });

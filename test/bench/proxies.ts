/** Two real vchan-socket-proxies, which lead from a unix socket in one domain to another's in the other. */
import { rmSync } from 'node:fs';
import { startUntil } from '../rig/sim/appearance.ts';
import { nodeBecomes } from '../rig/sim/node-state.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import type { TiedProcess } from '../rig/sim/tied-process.ts';

const program = '/usr/lib/xen-4.17/bin/vchan-socket-proxy';
const state = 'data/bench-state';
const vchan = 'data/bench';

type Route = { readonly server: number; readonly client: number; readonly to: string };

/** Runs `body` with the path of the socket that leads there. */
export const withProxies = async <T>(
  { sim, dom0 }: SimHost,
  { server, client, to }: Route,
  body: (path: string) => Promise<T>,
): Promise<T> => {
  const path = `${sim.directory}/proxied`;
  rmSync(path, { force: true });
  const start = (domid: number, args: readonly string[]): TiedProcess =>
    sim.start(`proxy-${domid}`, [program, ...args], { domid, hypercalls: true });
  const isRunning = (value: string | undefined): boolean => value === 'running';
  const serving = start(server, ['--mode=server', `--state-path=${state}`, `${client}`, vchan, to]);
  await nodeBecomes(dom0, `/local/domain/${server}/${state}`, isRunning, 10);
  const joining = await startUntil(path, () =>
    start(client, ['--mode=client', `${server}`, `/local/domain/${server}/${vchan}`, path]),
  );
  try {
    return await body(path);
  } finally {
    await Promise.all([serving.kill(), joining.kill()]);
    for (const node of [state, vchan]) await dom0.remove(`/local/domain/${server}/${node}`);
  }
};

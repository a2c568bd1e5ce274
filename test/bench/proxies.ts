/** Two real vchan-socket-proxies, which connect a unix socket in one domain with a unix socket in another. */
import { rmSync } from 'node:fs';
import { startUntil } from '../rig/sim/appearance.ts';
import { readNode, removeNode } from '../rig/sim/node-state.ts';
import type { SimHost } from '../rig/sim/sim-host.ts';
import type { TiedProcess } from '../rig/sim/tied-process.ts';
import { until } from '../support/until.ts';
import { mustRun } from './must-run.ts';

const program = '/usr/lib/xen-4.17/bin/vchan-socket-proxy';
const state = 'data/bench-state';
const vchan = 'data/bench';

type Route = { readonly server: number; readonly client: number; readonly to: string };

/** Runs `body` with the path of the client's socket. */
export const withProxies = async <T>(
  { sim, dom0 }: SimHost,
  { server, client, to }: Route,
  body: (path: string) => Promise<T>,
): Promise<T> => {
  const path = `${sim.directory}/proxied`;
  rmSync(path, { force: true });
  const start = (domid: number, args: readonly string[]): TiedProcess =>
    sim.start(`proxy-${domid}`, [program, ...args], { domid, hypercalls: true });
  const base = `/local/domain/${server}`;
  const serving = start(server, ['--mode=server', `--state-path=${state}`, `${client}`, vchan, to]);
  let joining: TiedProcess | undefined;
  try {
    await until("the server's proxy runs", async () => {
      mustRun(serving.child, serving.log);
      return (await readNode(dom0, `${base}/${state}`)) === 'running';
    });
    joining = await startUntil(path, () =>
      start(client, ['--mode=client', `${server}`, `${base}/${vchan}`, path]),
    );
    return await body(path);
  } finally {
    await Promise.all([serving.kill(), joining?.kill()]);
    for (const node of [state, vchan]) await removeNode(dom0, `${base}/${node}`);
  }
};

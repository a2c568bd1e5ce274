/** Acts of a careless or malicious administrator, and the audit codes that they must have. */
import { must } from './command.ts';
import type { LabHost } from './lab-host.ts';
import { startIn } from './processes.ts';

type Act = {
  /** The codes in alphabetical order. */
  readonly codes: readonly string[];
  readonly act: (host: LabHost) => Promise<unknown>;
  readonly undo: (host: LabHost) => Promise<unknown>;
};

const domid = ({ inDom0 }: LabHost, vm: string): Promise<string> =>
  must(inDom0, ['xl', 'domid', vm]);

const chmod = async (host: LabHost, letter: 'b' | 'n'): Promise<string> => {
  const [server, client] = [await domid(host, 'sa-vm'), await domid(host, 'mgmt-vm')];
  const place = `/local/domain/${server}/ipc/direct/${client}`;
  return await must(host.inDom0, ['xenstore-chmod', place, `${letter}${server}`, `r${client}`]);
};

const vifOfDom0 = async (host: LabHost): Promise<string> =>
  `/local/domain/0/backend/vif/${await domid(host, 'sa-vm')}`;

const name = '/ipc/domain-map/mgmt-vm';

const ipcDaemon = '/usr/bin/vchan-socket-proxy';

export const acts: readonly Act[] = [
  {
    codes: ['VIF_BACKEND_DOM0'],
    act: async (host) =>
      must(host.inDom0, ['xenstore-write', `${await vifOfDom0(host)}/1/state`, '2']),
    undo: async (host) => must(host.inDom0, ['xenstore-rm', '/local/domain/0/backend/vif']),
  },
  {
    codes: ['RENDEZVOUS_PERMISSIONS'],
    act: (host) => chmod(host, 'b'),
    undo: (host) => chmod(host, 'n'),
  },
  {
    codes: ['MAP_STALE'],
    act: (host) => must(host.inDom0, ['xenstore-write', name, '99']),
    undo: async (host) => must(host.inDom0, ['xenstore-write', name, await domid(host, 'mgmt-vm')]),
  },
  {
    codes: ['DOM0_IPC_PROCESS', 'DOM0_VCHAN'],
    act: async ({ inDom0 }) =>
      startIn(inDom0, [ipcDaemon, '--mode=server', '1', 'data/nothing', '-'], '/dev/null'),
    undo: async ({ inDom0 }) => {
      await must(inDom0, ['killall', 'vchan-socket-proxy']);
      // The killed program leaves its vchan offer in xenstore.
      await must(inDom0, ['xenstore-rm', 'data/nothing']);
    },
  },
  {
    codes: ['DOM0_FORWARDING'],
    act: ({ inDom0 }) => must(inDom0, ['sysctl', '-w', 'net.ipv4.ip_forward=1']),
    undo: ({ inDom0 }) => must(inDom0, ['sysctl', '-w', 'net.ipv4.ip_forward=0']),
  },
];

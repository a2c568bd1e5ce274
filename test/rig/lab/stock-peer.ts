import { must, type Run } from './command.ts';
import type { LabHost } from './lab-host.ts';
import { startIn } from './processes.ts';
import { until } from './until.ts';

const guest = 'stock';
const vm = 'sa-vm';
const log = '/var/log/vchan.log';
const bytes = 200_000;

/** Sends bytes with libxenvchan's own program, and waits until all of them have come back. */
const exchange = async (inGuest: Run, role: string, domid: number, path: string): Promise<void> => {
  const proxy = `vchan-socket-proxy --mode=${role} ${domid} ${path} -`;
  // An end that has closed its input reads nothing more, so "sleep" keeps the input open.
  await startIn(
    inGuest,
    ['sh', '-c', `{ cat /in; exec sleep 600; } | ${proxy} >/out-${role}`],
    log,
  );
  const said = { proxy: '' };
  await until(
    async () => {
      const { stdout } = await inGuest(['sh', '-c', `cat ${log}; stat -c %s /out-${role}`]);
      said.proxy = stdout;
      return stdout.trimEnd().endsWith(`${bytes}`) ? true : undefined;
    },
    () => `the stock ${role} has not received all its bytes back: ${said.proxy}`,
  );
  await must(inGuest, ['cmp', '/in', `/out-${role}`]);
  await must(inGuest, ['killall', 'vchan-socket-proxy']);
};

/**
 * A 128 MB guest without vifwatch exchanges bytes with our vchan, using libxenvchan's own program in either
 * role.
 */
export const stockPeerInteroperates = async (host: LabHost): Promise<void> => {
  const inGuest: Run = (argv) => host.inVm(guest, argv);
  const inVm: Run = (argv) => host.inVm(vm, argv);
  const [domid] = await Promise.all([host.create({ name: guest }), must(inVm, ['/lab/payload'])]);
  const self = Number(await must(inVm, ['xenstore-read', 'domid']));
  await must(inGuest, ['modprobe', 'xen-privcmd']);
  await must(inGuest, ['sh', '-c', `head -c ${bytes} /dev/urandom >/in`]);

  const ours = ['node', '/usr/lib/node_modules/vifwatch/dist/vchan-echo.js'];
  await Promise.all([
    must(inVm, [...ours, 'server', `${domid}`, 'data/lab']),
    exchange(inGuest, 'client', self, `/local/domain/${self}/data/lab`),
  ]);
  await Promise.all([
    must(inVm, [...ours, 'client', `${domid}`, `/local/domain/${domid}/data/lab`]),
    exchange(inGuest, 'server', self, 'data/lab'),
  ]);
  await host.destroy(guest);
};

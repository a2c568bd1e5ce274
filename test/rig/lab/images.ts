import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { agentProgram, sendProgram } from './agent-program.ts';
import { cached, keyOf } from './cache.ts';
import { debianRoot } from './debian-root.ts';
import { buildDisk } from './disk.ts';
import { buildImage, type ImageSpec } from './image.ts';
import { decompressedKernel } from './kernel.ts';

/** The files that QEMU loads. */
export type BootFiles = {
  readonly xen: string;
  readonly kernel: string;
  readonly dom0: string;
  /** A read-only disk that dom0 attaches to the domains that run Node. */
  readonly disk: string;
};

const diskPrograms = ['/usr/bin/node'];

/** Builds the hypervisor, the kernel and all images, or finds them in the cache. */
export const bootFiles = async (): Promise<BootFiles> => {
  const root = await debianRoot();
  const kernel = await decompressedKernel(root);
  const guest = await buildImage('guest', root, await guestSpec());
  const netVm = await buildImage('net-vm', root, await netVmSpec());
  const dom0 = await buildImage('dom0', root, await dom0Spec({ kernel, guest, netVm }));
  const disk = await buildDisk(root, diskPrograms);
  return { xen: await hypervisor(root), kernel, dom0, disk };
};

/** Decompresses the hypervisor, because QEMU cannot load a compressed one. */
const hypervisor = async (root: string): Promise<string> => {
  const directory = await cached('xen', keyOf(root), async (made) => {
    const compressed = await readFile(join(root, 'boot/xen-4.17-amd64.gz'));
    await writeFile(join(made, 'xen'), gunzipSync(compressed));
  });
  return join(directory, 'xen');
};

const own = (name: string): Promise<string> =>
  readFile(join(import.meta.dirname, 'init', name), 'utf8');

const xenstoreTools = ['read', 'write', 'list', 'ls', 'rm', 'chmod', 'watch', 'exists'];
/** The kernel modules for event channels and grants. */
const linkModules = ['xen-evtchn', 'xen-gntdev', 'xen-gntalloc'];
const addonLibraries = ['xenstore.so.4', 'xengnttab.so.1', 'xenevtchn.so.1'].map(
  (library) => `/usr/lib/x86_64-linux-gnu/lib${library}`,
);
const xenTool = (name: string): string => `/usr/lib/xen-4.17/bin/${name}`;

/** The contents of every domain's image; `start` is the script that init runs first. */
const common = async (start: string): Promise<ImageSpec> => ({
  programs: [
    '/bin/dash',
    '/usr/bin/nice',
    ...xenstoreTools.map((tool) => `/usr/bin/xenstore-${tool}`),
  ],
  diskPrograms: [],
  copies: ['/bin/busybox'],
  modules: [],
  directories: ['/dev', '/proc', '/sys', '/run', '/tmp', '/root', '/var/log'],
  links: { '/init': '/bin/busybox', '/bin/sh': 'dash', '/var/run': '../run' },
  files: {
    '/etc/inittab': await own(`${start}.inittab`),
    '/etc/passwd': 'root:x:0:0:root:/root:/bin/sh\n',
    '/etc/group': 'root:x:0:\n',
    '/lab/start': await own(start),
  },
  brought: { '/lab/agent': await agentProgram() },
});

const guestSpec = async (): Promise<ImageSpec> => {
  const base = await common('guest');
  return {
    ...base,
    programs: [
      ...base.programs,
      ...addonLibraries,
      ...['/sbin/ip', '/bin/ping', xenTool('vchan-socket-proxy')],
    ],
    links: { ...base.links, '/usr/bin/vchan-socket-proxy': xenTool('vchan-socket-proxy') },
    diskPrograms,
    // Xen's own vchan programs need xen-privcmd, which the start script does not load.
    modules: ['xen-netfront', 'xen-blkfront', 'ext4', 'xen-privcmd', ...linkModules],
    files: {
      ...base.files,
      '/lab/vif': await own('vif'),
      '/lab/disk': await own('disk'),
      '/lab/payload': await own('payload'),
      '/lab/mesh': await own('mesh'),
    },
    brought: { ...base.brought, '/lab/send': await sendProgram() },
  };
};

const netVmSpec = async (): Promise<ImageSpec> => {
  const base = await common('net-vm');
  const runlevels = ['sysinit', 'boot', 'default', 'shutdown'];
  return {
    ...base,
    programs: [
      ...base.programs,
      ...addonLibraries,
      ...['/sbin/ip', '/bin/ping', '/usr/sbin/nft', '/usr/sbin/conntrack'],
      ...['/sbin/openrc', '/sbin/openrc-run', '/sbin/rc-service', '/sbin/rc-update'],
      ...['/bin/rc-status', '/sbin/supervise-daemon', '/sbin/modprobe'],
    ],
    diskPrograms,
    copies: [...base.copies, '/lib/rc', '/etc/rc.conf'],
    modules: [
      ...['xen-netback', 'xen-blkfront', 'ext4', 'veth', 'vrf', 'bonding', ...linkModules],
      ...[
        'nf_tables',
        'nft_ct',
        'nft_limit',
        'nft_connlimit',
        'nft_log',
        'nft_reject_inet',
        'nft_fib_inet',
      ],
      ...['nft_chain_nat', 'nft_masq', 'nf_conntrack_netlink', 'nf_log_syslog', 'nft_objref'],
    ],
    directories: [
      ...base.directories,
      ...[
        '/etc/init.d',
        '/etc/conf.d',
        '/etc/insserv.conf.d',
        ...runlevels.map((level) => `/etc/runlevels/${level}`),
      ],
    ],
    files: {
      ...base.files,
      '/lab/disk': await own('disk'),
      '/lab/payload': await own('payload'),
      '/lab/mesh': await own('mesh'),
      // Debian's OpenRC complains without this file and its directory.
      '/etc/insserv.conf': '',
    },
  };
};

type DomainFiles = { readonly kernel: string; readonly guest: string; readonly netVm: string };

const dom0Spec = async (domains: DomainFiles): Promise<ImageSpec> => {
  const base = await common('dom0');
  const daemons = ['xl', 'xenstored', 'xenconsoled'];
  // ldd does not list this library: the C library opens it when xl ends a thread.
  const threads = '/lib/x86_64-linux-gnu/libgcc_s.so.1';
  return {
    ...base,
    programs: [
      ...base.programs,
      ...[...daemons, 'xen-init-dom0', 'vchan-socket-proxy'].map(xenTool),
      ...[threads, '/usr/bin/flock'],
    ],
    modules: [
      ...['xenfs', 'xen-evtchn', 'xen-gntdev', 'xen-gntalloc', 'xen-privcmd', 'xen-blkback'],
      ...['ahci', 'sr_mod'],
    ],
    links: {
      ...base.links,
      ...Object.fromEntries(daemons.map((name) => [`/usr/sbin/${name}`, xenTool(name)])),
      '/usr/bin/vchan-socket-proxy': xenTool('vchan-socket-proxy'),
    },
    files: {
      ...base.files,
      '/etc/xen/xl.conf': 'autoballoon = "off"\n',
      '/etc/xen/scripts/block': await own('block'),
      '/etc/xen/net-vm.cfg': await own('net-vm.cfg'),
      '/etc/xen/guest.cfg': await own('guest.cfg'),
      '/etc/xen/application.cfg': await own('application.cfg'),
    },
    brought: {
      ...base.brought,
      '/boot/vmlinux': domains.kernel,
      '/boot/guest.img': domains.guest,
      '/boot/net-vm.img': domains.netVm,
    },
  };
};

/** Sabotage of dom0 itself: its vifs, network and processes. No entry affects another one. */
import type { Dom0 } from './dom0.ts';
import { domidsOf, type Sabotage } from './sabotage.ts';

/** The line that starts a program with this name. */
const program = (name: string): string =>
  `cp /usr/bin/sleep /run/${name}; /run/${name} infinity &
  until [ "$(readlink /proc/$!/exe)" = /run/${name} ]; do :; done`;

/** The line that starts a script with this name, run by sh with these words. */
const script = (name: string, words = ''): string =>
  `echo 'sleep infinity; :' >/run/${name}; sh /run/${name} ${words} &
  until grep -q /run/${name} /proc/$!/cmdline; do :; done`;

const vifs = (dom0: Dom0): readonly Sabotage[] => {
  const [, sa, mgmt, workload] = domidsOf(dom0);
  return [
    {
      codes: ['VIF_BACKEND_DOM0'],
      what: /^a vif of sa-vm \(domain \d+\) has its backend in dom0$/,
      dom0: `xenstore-write /local/domain/0/backend/vif/${sa}/1/state 1`,
      mend: 'xenstore-rm /local/domain/0/backend',
    },
    {
      codes: ['VIF_BACKEND_FOREIGN'],
      what: /^vif 1 of sa-vm \(domain \d+\) leads to domain \d+, not/,
      dom0: `xenstore-write /libxl/${sa}/device/vif/1/backend /local/domain/${mgmt}/backend/vif/${sa}/1`,
      mend: `xenstore-rm /libxl/${sa}/device/vif/1`,
    },
    {
      codes: ['VIF_BACKEND_FOREIGN'],
      what: /^vif 3 of workload-vm \(domain \d+\) leads to domain/,
      dom0: `xenstore-write /local/domain/${mgmt}/backend/vif/${workload}/3/state 1`,
      mend: `xenstore-rm /local/domain/${mgmt}/backend`,
    },
    {
      codes: [],
      what: /^$/,
      // The audit must ignore a guest's own frontend directory.
      dom0: `xenstore-write /local/domain/${sa}/device/vif/0/backend-id 0`,
      mend: `xenstore-rm /local/domain/${sa}/device/vif/0/backend-id`,
    },
  ];
};

const network: readonly Sabotage[] = [
  ...[
    '10.0.5.101 dev lo',
    '10.0.5.0/24 dev lo table 77',
    '10.0.6.128/25 dev lo',
    'fd00:5::/64 dev lo table 78',
  ].map((route) => ({
    codes: ['DOM0_ROUTE'],
    what: new RegExp(`^route ${route}`),
    network: `ip route add ${route}`,
    mend: `ip route del ${route}`,
  })),
  {
    codes: [],
    what: /^$/,
    // Allowed routes: to neighbouring prefixes, default routes, and a blackhole.
    network: `ip link add eth7 type veth peer name eth6; ip link set eth7 up; ip address add 198.51.100.1/24 dev eth7
      ip route add 10.0.4.0/24 dev eth7; ip route add 10.0.0.0/8 via 198.51.100.2; ip route add default via 198.51.100.2
      ip route add blackhole 10.0.6.7`,
    mend: 'ip link del eth7; ip route del blackhole 10.0.6.7',
  },
  {
    codes: ['DOM0_ROUTE'],
    what: /^route 192\.0\.2\.0\/24 dev vif2\.0/,
    network: `busybox sysctl -qw net.ipv6.conf.default.disable_ipv6=1; ip link add vif2.0 type veth peer name eth5
      ip link set vif2.0 up; ip route add 192.0.2.0/24 dev vif2.0`,
    mend: 'ip link del vif2.0; busybox sysctl -qw net.ipv6.conf.default.disable_ipv6=0',
  },
  {
    codes: ['DOM0_NEIGHBOUR'],
    what: /^neighbour 10\.0\.5\.101 dev eth9 lladdr/,
    network:
      'ip link add eth9 type veth peer name eth8; ip link set eth9 up; ip neigh add 10.0.5.101 lladdr 00:16:3e:00:00:01 dev eth9',
    mend: 'ip link del eth9',
  },
  {
    codes: ['DOM0_FORWARDING'],
    what: /^\/proc\/sys\/net\/ipv4\/conf\/lo\/forwarding is 1$/,
    network: 'busybox sysctl -qw net.ipv4.conf.lo.forwarding=1',
    mend: 'busybox sysctl -qw net.ipv4.conf.lo.forwarding=0',
  },
  {
    codes: ['DOM0_FORWARDING'],
    what: /^\/proc\/sys\/net\/ipv6\/conf\/default\/forwarding is 1$/,
    // It comes after the creation of all links, because new links inherit this default.
    network: 'busybox sysctl -qw net.ipv6.conf.default.forwarding=1',
    mend: 'busybox sysctl -qw net.ipv6.conf.default.forwarding=0',
  },
];

const processes = (dom0: Dom0): readonly Sabotage[] => {
  const [, , , workload] = domidsOf(dom0);
  return [
    {
      codes: ['DOM0_VCHAN'],
      what: /^process \d+ \(innocent\) has \/dev\/xen\/gntalloc open$/,
      inside: [
        'mount -t tmpfs dev /dev; mknod -m 666 /dev/null c 1 3; mkdir /dev/xen; touch /dev/xen/gntalloc',
        'exec 3</dev/xen/gntalloc',
        // Only the first is neither one of Xen's programs nor a disk or file backend.
        ...['innocent', 'qemu-system-i386', 'xen-qemu-system-i386', 'xen-9pfsd'].map(program),
        'exec 3<&-',
      ].join('\n'),
    },
    {
      codes: ['DOM0_VCHAN'],
      what: /^a vchan offer from or to dom0: \/local\/domain\/0\/data\/link$/,
      dom0: 'xenstore-write /local/domain/0/data/link/ring-ref 8 /local/domain/0/data/link/event-channel 9',
      mend: 'xenstore-rm /local/domain/0/data',
    },
    {
      codes: ['DOM0_VCHAN'],
      what: /^a vchan offer from or to dom0: \/local\/domain\/\d+\/data\/x$/,
      guest: [
        workload,
        'for node in ring-ref event-channel; do xenstore-write data/x/$node 8; xenstore-chmod data/x/$node n$(xenstore-read domid) r0; done',
      ],
      mend: `xenstore-rm /local/domain/${workload}/data/x`,
    },
    {
      codes: ['DOM0_IPC_PROCESS', 'DOM0_IPC_PROCESS', 'DOM0_IPC_PROCESS'],
      what: /^process \d+ (sh \/run\/qrexec-daemon a"b\\_c_ 1 2|\/run\/vchan-socket-proxy infinity|sh \/run\/vifwatch --runtime \/run\/x agent) ?$/,
      inside: [
        program('vchan-socket-proxy'),
        script('qrexec-daemon', `'a"b\\ c\n' 1 2`),
        script('vifwatch', '--runtime /run/x agent'),
      ].join('\n'),
    },
  ];
};

export const sabotagesOfHost = (dom0: Dom0): readonly Sabotage[] => [
  ...vifs(dom0),
  ...network,
  ...processes(dom0),
];

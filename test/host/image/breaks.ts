/** Ways to break a root file system, and the failures that `check --root` reports for each. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { packageAt, release, replace } from './root.ts';

const page = '<!DOCTYPE html>\n<html><title>404 Not Found</title></html>\n';
const addon = `${packageAt}/native/build/Release/xen.node`;
const modules = `usr/lib/modules/${release}`;

const removeLibrary = (root: string, name: string): void => {
  const names = readdirSync(`${root}/usr/lib/x86_64-linux-gnu`);
  for (const file of names.filter((candidate) => candidate.startsWith(name))) {
    rmSync(`${root}/usr/lib/x86_64-linux-gnu/${file}`);
  }
};

const link = (root: string, target: string, path: string): void => {
  rmSync(`${root}/${path}`, { force: true });
  symlinkSync(target, `${root}/${path}`);
};

const chunkOf = (root: string): string =>
  readdirSync(`${root}/${packageAt}/dist`).find((name) => /^run-\w+\.js$/.test(name)) ?? '';

export type Break = {
  readonly by: (root: string) => void;
  /** A pattern for each line that the check prints about it. */
  readonly says: readonly RegExp[];
};

/** Each entry breaks one part of the root; the entries of a round do not affect each other. */
export const rounds: readonly Readonly<Record<string, Break>>[] = [
  {
    'a web page instead of nft': {
      by: (root) => replace(`${root}/usr/sbin/nft`, page),
      says: [/^FAIL {2}nft: \/sbin\/nft is a web page.* begins with "<!DOCTYPE html>"/],
    },
    'a program that is not executable': {
      by: (root) => replace(`${root}/usr/sbin/ip`, readFileSync(`${root}/usr/sbin/ip`), 0o644),
      says: [/^FAIL {2}ip: \/sbin\/ip is not executable: chmod 755$/],
    },
    'a missing library': {
      by: (root) => removeLibrary(root, 'libnetfilter_conntrack'),
      says: [/^FAIL {2}conntrack: \/usr\/sbin\/conntrack: .*libnetfilter_conntrack\.so\.3/],
    },
    'a truncated addon': {
      by: (root) => replace(`${root}/${addon}`, readFileSync(`${root}/${addon}`).subarray(0, 4096)),
      says: [/^FAIL {2}addon: .*xen\.node is cut off after 4096 bytes/],
    },
    'a missing part of the bundle': {
      by: (root) => rmSync(`${root}/${packageAt}/dist/${chunkOf(root)}`),
      says: [/^FAIL {2}package: .*dist\/run-\w+\.js is missing: install the package/],
    },
    'no env': {
      by: (root) => rmSync(`${root}/usr/bin/env`),
      says: [/^FAIL {2}vifwatch: \/usr\/bin\/env is missing$/],
    },
    "a kernel module's missing dependency": {
      by: (root) => rmSync(`${root}/${modules}/kernel/nfnetlink.ko.xz`),
      says: [
        /^FAIL {2}modules of 6\.1\.0-test: nf_tables \(which needs kernel\/nfnetlink\.ko\.xz\): /,
      ],
    },
    'a service that is in no runlevel': {
      by: (root) => rmSync(`${root}/etc/runlevels/default/vifwatch`),
      says: [/^FAIL {2}service: it is in no runlevel, .* rc-update add vifwatch default$/],
    },
    'a directory that other users can write': {
      by: (root) => chmodSync(`${root}/etc/init.d`, 0o777),
      says: [/^FAIL {2}owners: \/etc\/init\.d can be written by its group or by others/],
    },
    'a bad configuration': {
      by: (root) => replace(`${root}/etc/vifwatch/vifwatch.toml`, 'uplinks = ["eth0"]\n', 0o644),
      says: [/^FAIL {2}config: .*vifwatch\.toml:1:1: unknown key/, /^1: {2}uplinks/, /^ +\^$/],
    },
    'a bad policy': {
      by: (root) => {
        mkdirSync(`${root}/etc/vifwatch/rules.d`);
        replace(`${root}/etc/vifwatch/rules.d/a.toml`, 'profile = "nothing"\n', 0o644);
      },
      says: [/^FAIL {2}policies: .*a\.toml: profile: unknown profile "nothing"/],
    },
  },
  {
    'no nft': {
      by: (root) => rmSync(`${root}/usr/sbin/nft`),
      says: [/^FAIL {2}nft: no nft in \/bin, .*: install nftables$/],
    },
    "busybox's ip": {
      by: (root) => link(root, '/bin/busybox', 'usr/sbin/ip'),
      says: [/^FAIL {2}ip: \/sbin\/ip is busybox's ip: install iproute2/],
    },
    'a link to a program that only the build machine has': {
      by: (root) => link(root, '/usr/bin/unshare', 'usr/sbin/conntrack'),
      says: [/^FAIL {2}conntrack: no conntrack in /],
    },
    'an addon that does not load': {
      by: (root) => replace(`${root}/${addon}`, readFileSync(`${root}/usr/bin/env`)),
      says: [/^FAIL {2}addon: .*xen\.node does not load: /],
    },
    'a web page instead of a ruleset': {
      by: (root) => replace(`${root}/${packageAt}/rules/vifwatch.nft`, page, 0o644),
      says: [/^FAIL {2}package: .*rules\/vifwatch\.nft is a web page/],
    },
    'no kernel modules': {
      by: (root) => rmSync(`${root}/usr/lib/modules`, { recursive: true }),
      says: [/^FAIL {2}modules: .*copy modules\.builtin from/],
    },
    'a service script that is not executable': {
      by: (root) => {
        const script = `${root}/etc/init.d/vifwatch`;
        replace(script, readFileSync(script), 0o644);
      },
      says: [/^FAIL {2}service: \/etc\/init\.d\/vifwatch is not executable/],
    },
    'a link to / in the services directory, beside a writable service': {
      by: (root) => {
        mkdirSync(`${root}/etc/vifwatch/services`);
        link(root, '/', 'etc/vifwatch/services/all');
        replace(`${root}/etc/vifwatch/services/copy`, '#!/bin/cat\n', 0o777);
      },
      says: [/^FAIL {2}owners: \/etc\/vifwatch\/services\/copy can be written by [^,]*; chown/],
    },
    'a link to a configuration that only the build machine has': {
      by: (root) => link(root, '/etc/hostname', 'etc/vifwatch/vifwatch.toml'),
      says: [
        /^FAIL {2}config: \/etc\/vifwatch\/vifwatch\.toml links to a file that is missing there: add/,
      ],
    },
    'a link to a policy that only the VM can follow': {
      by: (root) => {
        mkdirSync(`${root}/etc/vifwatch/rules.d`);
        replace(`${root}/etc/vifwatch/a.toml`, '', 0o644);
        link(root, '/etc/vifwatch/a.toml', 'etc/vifwatch/rules.d/a.toml');
      },
      says: [/^FAIL {2}policies: .*a\.toml is a link that only the VM can follow/],
    },
  },
  {
    'a program for another processor': {
      by: (root) => {
        const bytes = readFileSync(`${root}/usr/sbin/nft`);
        bytes.writeUInt16LE(183, 18);
        replace(`${root}/usr/sbin/nft`, bytes);
      },
      says: [/^FAIL {2}nft: \/sbin\/nft: it is for arm64, but this machine is x64: /],
    },
    'busybox copied under the name ip': {
      by: (root) => replace(`${root}/usr/sbin/ip`, readFileSync(`${root}/usr/bin/busybox`)),
      says: [/^FAIL {2}ip: .*BusyBox.*: install iproute2/],
    },
    'no addon': {
      by: (root) => rmSync(`${root}/${addon}`),
      says: [/^FAIL {2}addon: .*xen\.node is missing: npm run install/],
    },
    'no modprobe': {
      by: (root) => rmSync(`${root}/usr/sbin/modprobe`),
      says: [
        /^FAIL {2}modules of .*: some modules must be loaded, but \/sbin\/modprobe is missing/,
      ],
    },
    'a service script for another interpreter': {
      by: (root) => replace(`${root}/etc/init.d/vifwatch`, '#!/bin/busybox sh\n'),
      says: [/^FAIL {2}service: \/etc\/init\.d\/vifwatch is not a script for openrc-run/],
    },
  },
  {
    'a program that belongs to an ordinary user': {
      by: (root) => {
        replace(`${root}/usr/sbin/nft`, readFileSync(`${root}/usr/sbin/nft`));
        chownSync(`${root}/usr/sbin/nft`, 1000, 1000);
      },
      says: [/^FAIL {2}owners: \/usr\/sbin\/nft belongs to user 1000/],
    },
    'a missing library that the addon needs': {
      by: (root) => removeLibrary(root, 'libxengnttab'),
      says: [/^FAIL {2}addon: .*libxengnttab\.so\.1: .*: also install the libraries/],
    },
    'a kernel release whose name looks like a line of the check': {
      by: (root) => mkdirSync(`${root}/usr/lib/modules/\nok    nft: fine\u{1b}[2J`),
      says: [
        /^FAIL {2}modules of $/,
        /^ {2}ok {4}nft: fine\\u\{1b\}\[2J: \/lib\/modules\/$/,
        /^ {2}ok {4}nft: fine\\u\{1b\}\[2J has neither /,
      ],
    },
  },
  {
    'another program under the name node': {
      by: (root) => replace(`${root}/usr/bin/node`, readFileSync(`${root}/usr/sbin/nft`)),
      says: [
        /^FAIL {2}node: \/bin\/node says "nftables .*": install nodejs, 20\.19 or later$/,
        /^FAIL {2}vifwatch: .*main\.js does not run: /,
        /^FAIL {2}addon: .*xen\.node does not load/,
      ],
    },
  },
  {
    'no loader': {
      by: (root) => rmSync(`${root}/usr/lib64`, { recursive: true }),
      says: ['node', 'ip', 'nft', 'conntrack', 'vifwatch', 'addon'].map(
        (name) => new RegExp(`^FAIL  ${name}: /lib64/ld-linux-x86-64\\.so\\.2.* is missing`),
      ),
    },
  },
];

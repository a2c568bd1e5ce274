import { expect, test } from 'vitest';
import { diagnosticsOf } from './mesh-files.ts';

const words = "the mesh's words in extra, which tell the agent its links and its policy";
const hvm = `an HVM guest without kernel does not get ${words}; set kernel and ramdisk, or type="pvh"`;

test('guests that may not get extra are named, and those with a kernel are not', async () => {
  const configs = {
    'h.cfg': 'memory=256\ntype = "hvm"\nfirmware="uefi"\n',
    'b.cfg': 'bootloader="pygrub"\n',
    'u.cfg': 'builder="hvm"\n',
    'k.cfg': 'type="hvm"\nkernel="/boot/vmlinuz"\n',
    'p.cfg': 'type="pvh"\nkernel="/boot/vmlinuz"\n',
  };
  const vms = Object.keys(configs).map((file) => `[vm.${file[0]}]\nconfig = "${file}"\n`);
  expect(await diagnosticsOf({ ...configs, 'mesh.toml': vms.join('') })).toEqual([
    `b.cfg:1:1: warning: with a bootloader, the guest may not get ${words}; set kernel and ramdisk instead`,
    `h.cfg:2:1: warning: ${hvm}`,
    `u.cfg:1:1: warning: ${hvm}`,
  ]);
});

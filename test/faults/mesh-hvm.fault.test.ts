/**
 * The mesh puts `ipc_*` words into `extra`, which some kinds of guest do not get. `vifwatch mesh check` must
 * name such guests.
 */
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { exampleDirectory } from '../host/mesh/mesh-files.ts';
import { directoryWith } from '../support/directory.ts';
import { fault } from './known.ts';

const main = new URL('../../dist/main.js', import.meta.url).pathname;

test.fails.each([
  'type = "hvm"',
  'builder = "hvm"',
  'bootloader = "pygrub"',
  'type = "hvm"\nfirmware = "uefi"',
])(fault('mesh-hvm', 'a guest with %s is named'), async (setting) => {
  const directory = directoryWith();
  cpSync(exampleDirectory, directory, { recursive: true });
  const config = `${setting}\nmemory = 256\ndisk = ["phy:/dev/vg/sa,xvda,w"]\n`;
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  for (const file of files.filter((name) => name.endsWith('.cfg')))
    writeFileSync(join(directory, file), config);
  const { stdout, stderr } = await execa(process.execPath, [main, 'mesh', 'check', 'mesh.toml'], {
    cwd: directory,
    reject: false,
  });
  expect(stdout + stderr).toMatch(/hvm|kernel|bootloader|extra/);
});

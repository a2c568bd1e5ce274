/** The help texts, word for word. */
import { execa } from 'execa';
import { expect, test } from 'vitest';

const main = new URL('../../dist/main.js', import.meta.url).pathname;

const helpOf = async (...path: readonly string[]): Promise<string> =>
  (await execa(process.execPath, [main, ...path, '--help'])).stdout;

test('the help of a command lists its global options', async () => {
  expect(await helpOf('status')).toBe(`\
Usage: vifwatch status [--json]

Show vifs, routes and dropped packets. Without a daemon, the command reads
xenstore and the kernel itself.

Options:
  --json           print one JSON object instead of tables
  -h, --help       print this help

Global Options:
  --config <FILE>  configuration file (default: "/etc/vifwatch/vifwatch.toml")
  --runtime <DIR>  directory of the control socket (default: "/run/vifwatch")

Examples:
  vifwatch status
      show the tables
  vifwatch status --json | jq .vifs
      let a program read the vifs

Exit status:
  0   the daemon and all vifs are healthy
  1   the daemon or a vif is not healthy, or panic mode is on
  64  wrong command line
  69  no daemon runs
  70  any other failure; standard error names it
  78  bad configuration

See also: vifwatch(8)`);
});

test('the help of a command lists its argument and its required option', async () => {
  expect(await helpOf('mesh', 'compile')).toBe(`\
Usage: vifwatch mesh compile -o DIR FILE

Write the files of dom0 and of all VMs of a mesh. If the mesh has an error, the
command writes nothing.

Arguments:
  FILE                mesh.toml, the description of the host

Options:
  -o, --output <DIR>  output directory; replaces the output of an earlier
                      compile
  -h, --help          print this help

Examples:
  vifwatch mesh compile mesh.toml -o out
      write out/dom0 and out/vms
  vifwatch mesh compile mesh.toml -o new && diff -r out new
      show what a changed mesh changes

Exit status:
  0   the files were written; there may be warnings
  64  wrong command line
  70  any other failure; standard error names it
  78  the mesh has an error, or DIR cannot be replaced

See also: vifwatch-mesh(5)`);
});

/** Compiles a mesh to the files for dom0 and the VMs. */
import { dom0Table } from './dom0-table.ts';
import type { Mesh } from './mesh.ts';
import { netVmFiles } from './net-vm-files.ts';
import { xlConfigText } from './xl-config.ts';

type OutputFile = { readonly text: string; readonly mode: 0o644 | 0o755 };

/** The output files by their relative paths, sorted. */
export type Tree = ReadonlyMap<string, OutputFile>;

const plain = (text: string): OutputFile => ({ text, mode: 0o644 });

/** Makes a script executable, unless other scripts only source it. */
const script = (text: string): OutputFile => ({
  text,
  mode: text.startsWith('#!') ? 0o755 : 0o644,
});

/** Returns the output; equal meshes give equal files. @param scripts the scripts for dom0, by name */
export const compileMesh = (mesh: Mesh, scripts: ReadonlyMap<string, string>): Tree => {
  const { net, vms } = mesh;
  const files: [string, OutputFile][] = [['dom0/mesh', plain(dom0Table(mesh))]];
  for (const [name, text] of scripts) files.push([`dom0/${name}`, script(text)]);
  for (const vm of vms) {
    files.push([`dom0/xl/${vm.name}.cfg`, plain(xlConfigText(vm, net?.vm))]);
    if (vm.policy === undefined) continue;
    files.push([`vms/${vm.name}/etc/vifwatch/policy.d/mesh.policy`, plain(vm.policy.text)]);
  }
  for (const [path, text] of net === undefined ? [] : netVmFiles(mesh, net)) {
    files.push([`vms/${net?.vm}/etc/vifwatch/${path}`, plain(text)]);
  }
  return new Map(files.sort(([a], [b]) => (a < b ? -1 : 1)));
};

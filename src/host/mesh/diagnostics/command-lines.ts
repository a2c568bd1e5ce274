/** Finds kernel command lines that xl or the kernel would change, and a grant limit that is too low. */
import { everyone } from '../../../ipc/config/kernel-command-line.ts';
import { defaultGrantLimit, pagesPerLink } from '../../../ipc/config/link-grants.ts';
import type { Diagnostic } from '../../../text/diagnostic.ts';
import { commandLineOf, longestCommandLine, ownWords } from '../command-line.ts';
import { error } from '../mesh-diagnostic.ts';
import type { MeshVm } from '../mesh-file.ts';
import type { Subsets } from '../policy-subset.ts';
import type { Sources } from '../sources.ts';
import { parseXlConfig } from '../xl-config.ts';

const objectionTo = (extra: string): string | undefined => {
  // A quote would end the string in xl's configuration, and a backslash would start an escape.
  const bad = /[^ -~]|["\\]/u.exec(extra)?.[0].codePointAt(0);
  if (bad !== undefined) {
    const code = bad.toString(16).toUpperCase().padStart(4, '0');
    return `extra must be printable ASCII without quotes and backslashes; remove U+${code}`;
  }
  const word = ownWords.find((key) => extra.includes(`${key}=`));
  return word && `the mesh adds ${word}=; remove it, and use serve, connect and relay`;
};

/** Returns the `root=…` that xl puts before extra. */
const rootOf = ({ config }: MeshVm, { files }: Sources): string => {
  const source = files.get(config);
  if (source?.kind !== 'text') return '';
  const root = parseXlConfig(source.text).settings.findLast(({ key }) => key === 'root');
  return root?.value === undefined ? '' : `root=${root.value} `;
};

/** The grant limit of the VM, in pages. If a parameter occurs twice, the kernel uses the last value. */
const grantLimitOf = (extra: string): number => {
  const given = [...extra.matchAll(/(?:^| )xen_gntalloc\.limit=(\d+)/g)].at(-1)?.[1];
  return given === undefined ? defaultGrantLimit : Number(given);
};

const grantsOf = ({ name, serve, extra }: MeshVm, { mesh }: Sources): readonly Diagnostic[] => {
  const links = new Set(serve.filter((client) => client !== everyone)).size;
  const needed = links * pagesPerLink;
  const limit = grantLimitOf(extra);
  if (needed <= limit) return [];
  const text = `${name} serves ${links} links, which need ${needed} granted pages, but its limit is ${limit}`;
  const remedy = `add xen_gntalloc.limit=${needed} to its extra`;
  return [
    { severity: 'warning', place: mesh.at(['vm', name, 'serve']), text: `${text}; ${remedy}` },
  ];
};

const ofVm = (vm: MeshVm, sources: Sources, subsets: Subsets): readonly Diagnostic[] => {
  const { mesh } = sources;
  const at = mesh.at(['vm', vm.name, 'extra']);
  const objection = objectionTo(vm.extra);
  if (objection !== undefined) return [error(at, objection)];
  const hash = subsets.get(vm.name)?.hash;
  const length = Buffer.byteLength(rootOf(vm, sources) + commandLineOf(mesh, vm, hash));
  if (length <= longestCommandLine) return grantsOf(vm, sources);
  const text = `the kernel command line is ${length} bytes with the mesh's words, but only ${longestCommandLine} fit`;
  return [error(at, `${text}; shorten extra, or set serve = ["*"]`), ...grantsOf(vm, sources)];
};

/** Checks the kernel command lines of all VMs. */
export const commandLineDiagnostics = (sources: Sources, subsets: Subsets): readonly Diagnostic[] =>
  [...sources.mesh.vms.values()].flatMap((vm) => ofVm(vm, sources, subsets));

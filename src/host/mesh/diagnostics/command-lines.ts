/** Kernel command lines that would not arrive, or not as they are meant; and limits that are set there. */
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
  // What xl would take for the end of the text or for an escape.
  const bad = /[^ -~]|["\\]/u.exec(extra)?.[0].codePointAt(0);
  if (bad !== undefined) {
    const code = bad.toString(16).toUpperCase().padStart(4, '0');
    return `xl's extra="..." is printable ASCII without quote and backslash; remove U+${code}`;
  }
  const word = ownWords.find((key) => extra.includes(`${key}=`));
  return word && `the mesh adds ${word}=; remove it, and write serve, connect and relay`;
};

/** xl puts `root=…` in front of extra. */
const rootOf = ({ config }: MeshVm, { files }: Sources): string => {
  const source = files.get(config);
  if (source === undefined || !('text' in source)) return '';
  const root = parseXlConfig(source.text).settings.findLast(({ key }) => key === 'root');
  return root?.value === undefined ? '' : `root=${root.value} `;
};

const grantsOf = ({ name, serve, extra }: MeshVm, { mesh }: Sources): readonly Diagnostic[] => {
  const links = new Set(serve.filter((client) => client !== everyone)).size;
  const needed = links * pagesPerLink;
  const limit = Number(/(?:^| )xen_gntalloc\.limit=(\d+)/.exec(extra)?.[1] ?? defaultGrantLimit);
  if (needed <= limit) return [];
  const text = `${name} serves ${links} links, which take ${needed} pages of ${limit}`;
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
  const text = `the kernel's command line is ${length} bytes with what the mesh adds, of at most ${longestCommandLine}`;
  return [
    error(at, `${text}; shorten extra, or let a list of names be "*"`),
    ...grantsOf(vm, sources),
  ];
};

export const commandLineDiagnostics = (sources: Sources, subsets: Subsets): readonly Diagnostic[] =>
  [...sources.mesh.vms.values()].flatMap((vm) => ofVm(vm, sources, subsets));

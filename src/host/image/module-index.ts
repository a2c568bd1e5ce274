/** Looks up modules in a kernel's module index. */

export type ModuleIndex = {
  readonly builtin: ReadonlySet<string>;
  /** By module name: the module's own file, and then the files of all modules that it needs. */
  readonly files: ReadonlyMap<string, readonly string[]>;
};

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** The kernel treats "-" and "_" in a module's name as equal. */
const nameOf = (path: string): string =>
  (path.split('/').at(-1) ?? '').replace(/\.ko(\.(gz|xz|zst))?$/, '').replaceAll('-', '_');

/** Parses the files that depmod writes. @param builtin modules.builtin @param dep modules.dep */
export const parseModuleIndex = (builtin: string, dep: string): ModuleIndex => ({
  builtin: new Set(linesOf(builtin).map(nameOf)),
  files: new Map(
    linesOf(dep).map((line) => {
      const [file = '', needed = ''] = line.split(/:(.*)/s);
      return [nameOf(file), [file, ...needed.split(' ').filter((path) => path !== '')]];
    }),
  ),
});

/** A module that a kernel must have. Kernels from `before` on contain it in another module. */
export type NeededModule = { readonly name: string; readonly before?: readonly [number, number] };

const isOlder = (release: string, [major, minor]: readonly [number, number]): boolean => {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
};

/** Returns the missing modules, as texts for the operator. @param isFile checks a path of the index */
export const lackingModules = (
  release: string,
  { builtin, files }: ModuleIndex,
  needed: readonly NeededModule[],
  isFile: (path: string) => boolean,
): readonly string[] =>
  needed.flatMap(({ name, before }) => {
    const key = nameOf(name);
    if (builtin.has(key) || (before !== undefined && !isOlder(release, before))) return [];
    const paths = files.get(key);
    if (paths === undefined) return [name];
    const missing = paths.find((path) => !isFile(path));
    if (missing === undefined) return [];
    return [missing === paths[0] ? `${name} (${missing})` : `${name} (which needs ${missing})`];
  });

/** True if one of the modules is a file, which the kernel must load. */
export const areLoaded = (
  { builtin, files }: ModuleIndex,
  needed: readonly NeededModule[],
): boolean => needed.some(({ name }) => !builtin.has(nameOf(name)) && files.has(nameOf(name)));

/** What a kernel's list of modules says of some of them. */

export type ModuleIndex = {
  readonly builtin: ReadonlySet<string>;
  /** By a module's name: its own file, then those of all the modules that it needs. */
  readonly files: ReadonlyMap<string, readonly string[]>;
};

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

/** For the kernel, "-" and "_" are the same in a name. */
const nameOf = (path: string): string =>
  (path.split('/').at(-1) ?? '').replace(/\.ko(\.(gz|xz|zst))?$/, '').replaceAll('-', '_');

/** As kmod's depmod writes them. @param builtin modules.builtin @param dep modules.dep */
export const parseModuleIndex = (builtin: string, dep: string): ModuleIndex => ({
  builtin: new Set(linesOf(builtin).map(nameOf)),
  files: new Map(
    linesOf(dep).map((line) => {
      const [file = '', needed = ''] = line.split(/:(.*)/s);
      return [nameOf(file), [file, ...needed.split(' ').filter((path) => path !== '')]];
    }),
  ),
});

/** A module that a kernel must have; `before`: only one older than this has it apart from others. */
export type NeededModule = { readonly name: string; readonly before?: readonly [number, number] };

const isOlder = (release: string, [major, minor]: readonly [number, number]): boolean => {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
};

/** What is not there, for people; nothing if all is. @param isFile of a path in the index */
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

/** Whether any of them is a file that has to be loaded. */
export const areLoaded = (
  { builtin, files }: ModuleIndex,
  needed: readonly NeededModule[],
): boolean => needed.some(({ name }) => !builtin.has(nameOf(name)) && files.has(nameOf(name)));

/** Finds names that several files export, because readers could confuse them. */
import { parseSync } from 'vite';

/** The names that a file itself declares and exports, without re-exports. */
const declaredIn = (file: string, text: string): ReadonlySet<string> => {
  const { module, errors } = parseSync(file, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file}: ${error.message}`);
  const entries = module.staticExports.flatMap((statement) => statement.entries);
  const own = entries.filter(({ moduleRequest }) => moduleRequest === null);
  return new Set(own.flatMap(({ exportName: { name } }) => (name === null ? [] : [name])));
};

/**
 * One line for each name that more than one file exports, sorted.
 * @param files the texts by file name; the suffix of the name tells the language
 */
export const repeatedNames = (files: ReadonlyMap<string, string>): readonly string[] => {
  const filesByName = new Map<string, string[]>();
  for (const [file, text] of files) {
    for (const name of declaredIn(file, text)) {
      filesByName.set(name, [...(filesByName.get(name) ?? []), file]);
    }
  }
  return [...filesByName]
    .filter(([, exporters]) => exporters.length > 1)
    .map(([name, exporters]) => `${name} is exported by ${exporters.sort().join(' and ')}`)
    .sort();
};

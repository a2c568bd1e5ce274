/** A mesh and everything that was read for it, before any of it is judged. */
import type { LoadedPolicy } from '../../ipc/config/load-policy.ts';
import type { Place } from '../../text/diagnostic.ts';
import type { MeshFile } from './mesh-file.ts';

/** A file that mesh.toml names. */
export type Source = { readonly file: string } & (
  | { readonly text: string }
  /** Why it could not be read. */
  | { readonly unreadable: string }
);

export type Sources = {
  readonly mesh: MeshFile;
  /** Undefined if mesh.toml names no policy. */
  readonly policy: LoadedPolicy | undefined;
  /** The policy's directory, as it is named to people. */
  readonly policyDirectory: string;
  /** By what mesh.toml calls them. */
  readonly files: ReadonlyMap<string, Source>;
  /** The names of the package's profiles. */
  readonly profiles: readonly string[];
};

/** All that was read: files, and the policy's directory. */
export const filesOf = ({ mesh, policy, policyDirectory, files }: Sources): readonly string[] => [
  mesh.file,
  ...[...files.values()].map(({ file }) => file),
  ...(policy === undefined ? [] : [policyDirectory]),
];

/** Where an offset into a text is. */
export const placeIn = (file: string, text: string, offset: number): Place => {
  const before = text.slice(0, offset);
  return {
    file,
    line: before.split('\n').length,
    column: offset - before.lastIndexOf('\n'),
  };
};

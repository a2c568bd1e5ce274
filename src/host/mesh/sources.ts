/** A mesh and all files that were read for it, before the check. */
import type { LoadedPolicy } from '../../ipc/config/load-policy.ts';
import type { MeshFile } from './mesh-file.ts';

/** A file that mesh.toml names. */
export type Source = { readonly file: string } & (
  | { readonly kind: 'text'; readonly text: string }
  /** The reason why the file could not be read: "does not exist". */
  | { readonly kind: 'unreadable'; readonly reason: string }
);

export type Sources = {
  readonly mesh: MeshFile;
  /** Undefined if mesh.toml names no policy. */
  readonly policy: LoadedPolicy | undefined;
  /** The policy's directory, as messages name it. */
  readonly policyDirectory: string;
  /** By the names in mesh.toml. */
  readonly files: ReadonlyMap<string, Source>;
  /** The names of the package's profiles. */
  readonly profiles: readonly string[];
};

/** Returns the paths of all files that were read, and of the policy's directory. */
export const filesOf = ({ mesh, policy, policyDirectory, files }: Sources): readonly string[] => [
  mesh.file,
  ...[...files.values()].map(({ file }) => file),
  ...(policy === undefined ? [] : [policyDirectory]),
];

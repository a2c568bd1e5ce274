/** Loads a policy from its directory: all files, the files that they include, and all their errors. */
import { realpath } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { isMissingFile } from '../../system/missing-file.ts';
import type { IsOpenForWriting } from '../../system/settled-file.ts';
import type { Diagnostic, Place } from '../../text/diagnostic.ts';
import { printable, quoted } from '../../text/printable.ts';
import type { CallRule } from '../policy/call-rule.ts';
import type { CallPolicy } from '../policy/decide-call.ts';
import { type Directive, parsePolicyText, type ServiceWords } from '../policy/policy-text.ts';
import { indexRules } from '../policy/rule-index.ts';
import { listPolicyFiles, readPolicyFile, stampOf } from './read-policy-file.ts';

export type LoadedPolicy = {
  readonly policy: CallPolicy;
  /** The rules in their order. If the policy is invalid, these are the rules that could be read. */
  readonly rules: readonly CallRule[];
  /** The number of files that were read; a file that is included twice counts twice. */
  readonly files: number;
  /** All directories in which a change may change the policy. */
  readonly directories: readonly string[];
  /** Whether a process was writing one of the files; the policy is invalid then. */
  readonly isWritten: boolean;
};

/** The deepest nesting of inclusions. */
const deepest = 8;
/** The most inclusions: files that include others twice would make their number grow exponentially. */
const mostFiles = 1000;

type Loading = {
  readonly isOpenForWriting: IsOpenForWriting;
  readonly root: string;
  readonly rules: CallRule[];
  readonly diagnostics: Diagnostic[];
  readonly directories: Set<string>;
  /** The stamps of all files and directories, from before they were read. */
  readonly stamps: Map<string, string>;
  files: number;
  isWritten: boolean;
};

/** A file to read, and the place that includes it. */
type Wanted = {
  readonly path: string;
  readonly place: Place;
  readonly service: ServiceWords | undefined;
  /** The real paths of the files that led here. */
  readonly trail: readonly string[];
};

/** A path for messages: relative to the policy's directory if it is inside. */
const nameOf = (root: string, path: string): string => {
  const name = relative(root, path);
  return printable(name === '' || name.startsWith('..') ? path : name);
};

const addDiagnostic = ({ diagnostics }: Loading, place: Place, text: string): void => {
  diagnostics.push({ severity: 'error', place, text });
};

const unreadable = (loading: Loading, place: Place, path: string, error: unknown): void => {
  const what = isMissingFile(error)
    ? 'does not exist'
    : `cannot be read: ${(error as Error).message}`;
  addDiagnostic(loading, place, `${nameOf(loading.root, path)} ${what}`);
};

const remember = async (loading: Loading, path: string): Promise<void> => {
  if (!loading.stamps.has(path)) loading.stamps.set(path, await stampOf(path));
};

const loadDirectory = async (loading: Loading, wanted: Wanted): Promise<void> => {
  const { path, place, trail } = wanted;
  loading.directories.add(path);
  let names: readonly string[];
  try {
    await remember(loading, path);
    names = await listPolicyFiles(path);
  } catch (error) {
    unreadable(loading, place, path, error);
    return;
  }
  for (const name of names) {
    const file = join(path, name);
    const at = trail.length === 0 ? { file: nameOf(loading.root, file) } : place;
    if (/^[0-9a-z_.-]+$/.test(name)) await loadFile(loading, { ...wanted, path: file, place: at });
    else {
      const hint = 'use only 0-9, a-z, "_", "." and "-"';
      addDiagnostic(loading, at, `${quoted(name)} is not a valid file name: ${hint}`);
    }
  }
};

const include = (loading: Loading, from: Wanted, directive: Directive): Promise<void> => {
  const { kind, place, service } = directive;
  const wanted = { ...from, path: resolve(dirname(from.path), directive.path), place, service };
  return kind === 'include-dir' ? loadDirectory(loading, wanted) : loadFile(loading, wanted);
};

const loadFile = async (loading: Loading, wanted: Wanted): Promise<void> => {
  const { path, place, service, trail } = wanted;
  loading.directories.add(dirname(path));
  loading.files += 1;
  if (loading.files > mostFiles) {
    if (loading.files === mostFiles + 1)
      addDiagnostic(loading, place, `more than ${mostFiles} inclusions`);
    return;
  }
  let bytes: Buffer;
  let real: string;
  try {
    real = await realpath(path);
    await remember(loading, path);
    const read = await readPolicyFile(path, loading.isOpenForWriting);
    bytes = read.bytes;
    if (read.isWritten) {
      loading.isWritten = true;
      addDiagnostic(loading, { file: nameOf(loading.root, path) }, 'a program is writing it');
    }
  } catch (error) {
    unreadable(loading, place, path, error);
    return;
  }
  loading.directories.add(dirname(real));
  const name = nameOf(loading.root, path);
  if (trail.includes(real)) return addDiagnostic(loading, place, `${name} includes itself`);
  if (trail.length > deepest)
    return addDiagnostic(loading, place, `more than ${deepest} inclusions deep`);
  const { statements, diagnostics } = parsePolicyText(name, bytes, service);
  loading.diagnostics.push(...diagnostics);
  for (const statement of statements) {
    if (statement.kind === 'rule') loading.rules.push(statement.rule);
    else await include(loading, { ...wanted, trail: [...trail, real] }, statement);
  }
};

/** Reports files that changed while they were read: their parts may not belong together. */
const findChanges = async (loading: Loading): Promise<void> => {
  for (const [path, before] of loading.stamps) {
    if ((await stampOf(path).catch(() => undefined)) === before) continue;
    addDiagnostic(
      loading,
      { file: nameOf(loading.root, path) },
      'changed while it was read: read it again',
    );
  }
};

const policyOf = async (loading: Loading): Promise<CallPolicy> => {
  const { root, rules, diagnostics } = loading;
  try {
    await stampOf(root);
  } catch (error) {
    if (isMissingFile(error)) return { kind: 'absent' };
  }
  await loadDirectory(loading, {
    path: root,
    place: { file: printable(root) },
    service: undefined,
    trail: [],
  });
  await findChanges(loading);
  if (diagnostics.length > 0) return { kind: 'invalid', diagnostics };
  return { kind: 'rules', index: indexRules(rules) };
};

/** Reads the directory. Never rejects: any error makes the policy invalid, so that it denies every call. */
export const loadPolicy = async (
  directory: string,
  isOpenForWriting: IsOpenForWriting = () => false,
): Promise<LoadedPolicy> => {
  const root = resolve(directory);
  const loading: Loading = {
    isOpenForWriting,
    root,
    rules: [],
    diagnostics: [],
    files: 0,
    directories: new Set([root]),
    stamps: new Map(),
    isWritten: false,
  };
  const policy = await policyOf(loading);
  const { rules, files, directories, isWritten } = loading;
  return { policy, rules, files, directories: [...directories], isWritten };
};

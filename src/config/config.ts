/** /etc/vifwatch/vifwatch.toml: strict, optional, and every error says where. */
import { readFile } from 'node:fs/promises';
import { parse as parseToml, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { isHost, type Prefix, parsePrefix } from '../core/prefix.ts';
import { VifwatchError } from '../core/problem.ts';
import { caretAt, type KeyPath } from './locate.ts';

export type Config = {
  /** Interfaces that VMs may send to; undefined means every one that is neither lo nor a vif. */
  readonly uplinks: readonly string[] | undefined;
  /** The guests' gateway addresses, kept on `lo`. */
  readonly gateways: readonly Prefix[];
  /** Whether the MSS of VMs' TCP connections is lowered to what the path's MTU in net-vm allows. */
  readonly mssClamp: boolean;
  /** By VM name: what a VM may have although only its guest says so. */
  readonly allowed: ReadonlyMap<string, readonly Prefix[]>;
};

const prefixSchema = v.pipe(
  v.string(),
  v.rawTransform<string, Prefix>(({ dataset, addIssue, NEVER }) => {
    const prefix = parsePrefix(dataset.value);
    if (!('problem' in prefix)) return prefix;
    addIssue({ message: prefix.problem });
    return NEVER;
  }),
);

const addressSchema = v.pipe(
  prefixSchema,
  v.check(isHost, 'a gateway is one address, not a network'),
);

// IFNAMSIZ - 1; the kernel refuses "/" and white space in names.
const interfaceSchema = v.pipe(
  v.string(),
  v.regex(/^[^\s/"*]{1,15}$/, 'not an interface name'),
  v.check((name) => !name.startsWith('vif') && name !== 'lo', 'an uplink is neither lo nor a vif'),
);

const schema = v.strictObject({
  uplink: v.optional(v.array(interfaceSchema)),
  gateway: v.optional(v.array(addressSchema), []),
  mss_clamp: v.optional(v.boolean(), false),
  vm: v.optional(
    v.array(
      v.strictObject({
        name: v.pipe(v.string(), v.minLength(1)),
        addresses: v.array(prefixSchema),
      }),
    ),
    [],
  ),
});

const invalid = (file: string, message: string): VifwatchError =>
  new VifwatchError('CONFIG_INVALID', `${file}: ${message}`);

const syntaxError = (file: string, error: TomlError): VifwatchError => {
  const message = error.message.split('\n', 1)[0] ?? '';
  return invalid(`${file}:${error.line}:${error.column}`, `${message}\n${error.codeblock}`);
};

const issueError = (file: string, text: string, issue: v.BaseIssue<unknown>): VifwatchError => {
  const path = (issue.path ?? []).map(({ key }) => key) as KeyPath;
  const { line, column, codeblock } = caretAt(text, path);
  const key = path.filter((part) => typeof part === 'string').join('.');
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const message = unknown ? `unknown key "${key}"` : `${key}: ${issue.message}`;
  return invalid(`${file}:${line}:${column}`, `${message}\n${codeblock}`);
};

/** Throws CONFIG_INVALID with file, line, column and a caret under the place. */
export const parseConfig = (file: string, text: string): Config => {
  let document: unknown;
  try {
    document = parseToml(text);
  } catch (error) {
    throw error instanceof TomlError ? syntaxError(file, error) : error;
  }
  const result = v.safeParse(schema, document);
  if (!result.success) throw issueError(file, text, result.issues[0]);
  const { uplink, gateway, mss_clamp: mssClamp, vm } = result.output;
  const allowed = new Map<string, readonly Prefix[]>();
  for (const [index, { name, addresses }] of vm.entries()) {
    if (allowed.has(name)) {
      const { line, column, codeblock } = caretAt(text, ['vm', index, 'name']);
      throw invalid(`${file}:${line}:${column}`, `a second [[vm]] called "${name}"\n${codeblock}`);
    }
    allowed.set(name, addresses);
  }
  return { uplinks: uplink, gateways: gateway, mssClamp, allowed };
};

/** Reads the file; without one, everything has its default. Throws CONFIG_INVALID. */
export const loadConfig = async (file: string): Promise<Config> => {
  let text = '';
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') throw invalid(file, `cannot be read: ${message}`);
  }
  return parseConfig(file, text);
};

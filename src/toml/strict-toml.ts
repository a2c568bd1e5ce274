/** Reads TOML files with a schema. The first mistake is thrown as an error with its place. */
import { readFile } from 'node:fs/promises';
import { parse as parseToml, TomlError } from 'smol-toml';
import * as v from 'valibot';
import { type Prefix, parsePrefix } from '../address/prefix.ts';
import { VifwatchError } from '../errors.ts';
import { isMissingFile } from '../system/missing-file.ts';
import { placeText } from '../text/diagnostic.ts';
import { openCarets } from './locate.ts';
import type { KeyPath } from './place-tree.ts';

export const prefixSchema = v.pipe(
  v.string(),
  v.rawTransform<string, Prefix>(({ dataset, addIssue, NEVER }) => {
    const prefix = parsePrefix(dataset.value);
    if (!('problem' in prefix)) return prefix;
    addIssue({ message: prefix.problem });
    return NEVER;
  }),
);

/** Makes a CONFIG_INVALID error. @param file the file's name, or a place in it as `placeText` writes it */
export const invalid = (file: string, message: string): VifwatchError =>
  new VifwatchError('CONFIG_INVALID', `${file}: ${message}`);

/**
 * Reads a file; a missing file counts as empty.
 * @throws VifwatchError CONFIG_INVALID if the file cannot be read
 */
export const readOptional = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isMissingFile(error)) return '';
    throw invalid(file, `cannot be read: ${(error as Error).message}`);
  }
};

const syntaxError = (file: string, error: TomlError): VifwatchError => {
  const message = error.message.split('\n', 1)[0] ?? '';
  const { line, column, codeblock } = error;
  return invalid(placeText({ file, line, column }), `${message}\n${codeblock}`);
};

/** Makes a CONFIG_INVALID error about the key at `path`, with a caret under it. */
export const invalidKey = (
  file: string,
  text: string,
  path: KeyPath,
  message: string,
): VifwatchError => {
  const { line, column, codeblock } = openCarets(text)(path);
  return invalid(placeText({ file, line, column }), `${message}\n${codeblock}`);
};

const issueError = (file: string, text: string, issue: v.BaseIssue<unknown>): VifwatchError => {
  const path = (issue.path ?? []).map(({ key }) => key) as KeyPath;
  const key = path.filter((part) => typeof part === 'string').join('.');
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const missing = issue.type === 'strict_object' && issue.received === 'undefined';
  const problem = missing ? 'the required key is missing' : issue.message;
  const message = unknown ? `unknown key "${key}"` : `${key}: ${problem}`;
  return invalidKey(file, text, path, message);
};

/**
 * Parses TOML with a schema that refuses unknown keys.
 * @throws VifwatchError CONFIG_INVALID with file, line, column and a caret under the place
 */
export const parseStrict = <T extends v.GenericSchema>(
  file: string,
  text: string,
  schema: T,
): v.InferOutput<T> => {
  let document: unknown;
  try {
    document = parseToml(text);
  } catch (error) {
    throw error instanceof TomlError ? syntaxError(file, error) : error;
  }
  const result = v.safeParse(schema, document);
  if (!result.success) throw issueError(file, text, result.issues[0]);
  return result.output;
};

/** What is wrong with a TOML file, as one error that says where; and the schema that all files share. */
import type { TomlError } from 'smol-toml';
import * as v from 'valibot';
import { type Prefix, parsePrefix } from '../core/prefix.ts';
import { VifwatchError } from '../core/problem.ts';
import { caretAt, type KeyPath } from './locate.ts';

export const prefixSchema = v.pipe(
  v.string(),
  v.rawTransform<string, Prefix>(({ dataset, addIssue, NEVER }) => {
    const prefix = parsePrefix(dataset.value);
    if (!('problem' in prefix)) return prefix;
    addIssue({ message: prefix.problem });
    return NEVER;
  }),
);

export const invalid = (file: string, message: string): VifwatchError =>
  new VifwatchError('CONFIG_INVALID', `${file}: ${message}`);

export const syntaxError = (file: string, error: TomlError): VifwatchError => {
  const message = error.message.split('\n', 1)[0] ?? '';
  return invalid(`${file}:${error.line}:${error.column}`, `${message}\n${error.codeblock}`);
};

export const issueError = (
  file: string,
  text: string,
  issue: v.BaseIssue<unknown>,
): VifwatchError => {
  const path = (issue.path ?? []).map(({ key }) => key) as KeyPath;
  const { line, column, codeblock } = caretAt(text, path);
  const key = path.filter((part) => typeof part === 'string').join('.');
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const message = unknown ? `unknown key "${key}"` : `${key}: ${issue.message}`;
  return invalid(`${file}:${line}:${column}`, `${message}\n${codeblock}`);
};

/** A rule's action and its parameters. */
import { quoted } from '../../text/printable.ts';
import { parseVmToken } from './vm-token.ts';
import type { Report, Word } from './words.ts';

export type Action = {
  readonly kind: 'allow' | 'ask' | 'deny';
  /** The VM to which the rule redirects the call. */
  readonly target: string | undefined;
  /** The user that runs the service; undefined leaves it to the service's configuration. */
  readonly user: string | undefined;
  readonly notify: boolean;
  /** Whether the rule also allows relayed calls. If not, it denies them. */
  readonly relayed: boolean;
};

const redirects = ['target', 'user', 'notify', 'autostart'] as const;

const actions: ReadonlyMap<string, { kind: Action['kind']; parameters: readonly string[] }> =
  new Map([
    ['allow', { kind: 'allow', parameters: [...redirects, 'relayed'] }],
    ['ask', { kind: 'ask', parameters: [...redirects, 'default_target'] }],
    ['deny', { kind: 'deny', parameters: ['notify'] }],
  ]);

const isUser = (text: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/.test(text);

const checkValue = (key: string, value: Word, report: Report): void => {
  if (key === 'target' || key === 'default_target') parseVmToken(value, 'target', report);
  else if (key === 'user') {
    if (!isUser(value.text)) report(value.column, `${quoted(value.text)} is not a valid user name`);
  } else if (value.text !== 'yes' && value.text !== 'no') {
    report(value.column, `${key} must be "yes" or "no", not ${quoted(value.text)}`);
  }
};

/** Parses an action; undefined after a report. */
export const parseAction = (
  word: Word,
  parameters: readonly Word[],
  report: Report,
): Action | undefined => {
  const action = actions.get(word.text);
  if (action === undefined) {
    report(
      word.column,
      `${quoted(word.text)} is not an action; the actions are allow, ask and deny`,
    );
    return undefined;
  }
  const values = new Map<string, string>();
  for (const { text, column } of parameters) {
    const end = text.indexOf('=');
    const key = text.slice(0, end);
    const value = { text: text.slice(end + 1), column: column + end + 1 };
    if (end < 0) report(column, `${quoted(text)} is not a parameter like "user=root"`);
    else if (!action.parameters.includes(key)) {
      report(column, `${action.kind} has no parameter ${quoted(key)}`);
    } else if (values.has(key)) report(column, `${key}= occurs twice`);
    else {
      checkValue(key, value, report);
      values.set(key, value.text);
    }
  }
  const notify = values.get('notify');
  return {
    kind: action.kind,
    target: values.get('target'),
    user: values.get('user'),
    notify: notify === undefined ? action.kind === 'deny' : notify === 'yes',
    relayed: values.get('relayed') !== 'no',
  };
};

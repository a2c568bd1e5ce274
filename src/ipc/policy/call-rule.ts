/** A rule of a call policy: which VM may call which service of which VM. */

import { quoted } from '../../text/printable.ts';
import { type Action, parseAction } from './action.ts';
import { parseVmToken, type VmToken } from './vm-token.ts';
import type { Report, Word } from './words.ts';

/** A service and the text after its "+"; undefined means any. */
type Scope = { readonly service: string | undefined; readonly argument: string | undefined };

export type CallRule = Scope & {
  readonly source: VmToken;
  readonly destination: VmToken;
  readonly action: Action;
  readonly file: string;
  readonly line: number;
  /** The column where the rule begins. */
  readonly column: number;
  /** `file:line` */
  readonly place: string;
  /** Service, argument, source, destination, action, parameters. */
  readonly words: readonly Word[];
};

export const isServiceName = (text: string): boolean => /^[A-Za-z0-9._-]+$/.test(text);

export const isArgument = (text: string): boolean => /^[A-Za-z0-9._+-]*$/.test(text);

/** Parses a service and an argument; undefined after a report. */
export const parseScope = (service: Word, argument: Word, report: Report): Scope | undefined => {
  let fine = true;
  const fail = (column: number, text: string): void => {
    fine = false;
    report(column, text);
  };
  if (service.text !== '*' && !isServiceName(service.text)) {
    const hint = service.text.includes('+') ? ': the argument is a separate field' : '';
    fail(service.column, `${quoted(service.text)} is not a valid service name${hint}`);
  }
  if (argument.text !== '*') {
    if (!argument.text.startsWith('+') || !isArgument(argument.text)) {
      fail(argument.column, `${quoted(argument.text)} is neither "*" nor an argument like "+key"`);
    } else if (service.text === '*') {
      fail(argument.column, 'the service "*" allows only the argument "*"');
    }
  }
  if (!fine) return undefined;
  return {
    service: service.text === '*' ? undefined : service.text,
    argument: argument.text === '*' ? undefined : argument.text.slice(1),
  };
};

/**
 * Parses a rule; undefined after a report.
 * @param words at least five
 */
export const parseRule = (
  words: readonly Word[],
  at: Pick<CallRule, 'file' | 'line' | 'column'>,
  report: Report,
): CallRule | undefined => {
  let reports = 0;
  const counted: Report = (column, text) => {
    reports += 1;
    report(column, text);
  };
  const [service, argument, from, to, verb, ...parameters] = words as [
    ...[Word, Word, Word, Word, Word],
    ...Word[],
  ];
  const scope = parseScope(service, argument, counted);
  const source = parseVmToken(from, 'source', counted);
  const destination = parseVmToken(to, 'destination', counted);
  const action = parseAction(verb, parameters, counted);
  if (action?.kind === 'allow' && to.text === '@default' && action.target === undefined) {
    counted(verb.column, 'allow needs target= if the destination is "@default"');
  }
  if (reports > 0 || !scope || !source || !destination || !action) return undefined;
  return {
    ...scope,
    source,
    destination,
    action,
    words,
    ...at,
    place: `${at.file}:${at.line}`,
  };
};

/** `vifwatch policy eval`: reads a stream of requests and prints a verdict for each, as a JSON line. */
import { once } from 'node:events';
import * as v from 'valibot';
import { loadPolicy } from '../../ipc/config/load-policy.ts';
import { decideCall, type Verdict } from '../../ipc/policy/decide-call.ts';
import { placeText } from '../../text/diagnostic.ts';
import { printError } from '../print-error.ts';
import { errorsOf } from './policy-check.ts';
import { requestLines } from './policy-request-lines.ts';

type EvalOptions = { readonly dir: string; readonly self: string };

const requestSchema = v.strictObject({
  source: v.string(),
  service: v.string(),
  argument: v.string(),
  relayed: v.optional(v.boolean(), false),
});

type Request = v.InferOutput<typeof requestSchema>;

/** Undefined if the line is not a request. */
const parseRequest = (line: string): Request | undefined => {
  try {
    const result = v.safeParse(requestSchema, JSON.parse(line));
    if (!result.success) return undefined;
    const { argument, ...rest } = result.output;
    // Qubes writes the argument with its "+".
    return { ...rest, argument: argument.replace(/^\+/, '') };
  } catch {
    return undefined;
  }
};

const answer = ({ action, user, rule }: Partial<Verdict>): string =>
  `${JSON.stringify({ action: action ?? 'deny', user: user ?? null, rule: rule ?? null })}\n`;

/** Writes to standard output and returns the exit status: 1 if the policy or a request is invalid. */
export const evaluatePolicy = async ({ dir, self }: EvalOptions): Promise<number> => {
  const loaded = await loadPolicy(dir);
  const errors = errorsOf(loaded);
  for (const { place, text } of errors) printError(`${placeText(place)}: ${text}`);
  let fine = errors.length === 0;
  let number = 0;
  const answerTo = (line: string): string => {
    number += 1;
    const request = parseRequest(line);
    const verdict = request && decideCall(loaded.policy, { ...request, self });
    if (verdict === undefined) {
      printError(`line ${number} is not a request like {"source":"a","service":"b","argument":""}`);
      fine = false;
    }
    return answer(verdict ?? {});
  };
  for await (const lines of requestLines(process.stdin)) {
    if (!process.stdout.write(lines.map(answerTo).join(''))) await once(process.stdout, 'drain');
  }
  return fine ? 0 : 1;
};

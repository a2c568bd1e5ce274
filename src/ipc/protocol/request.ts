/** The payloads of OPEN, VOUCH and REFUSE. */
import { type CallRequest, type Refusal, refusalCodes } from './call.ts';
import { Violation } from './close-reason.ts';
import { maxArgument, maxName } from './limits.ts';
import { readField, readText, wireText } from './text.ts';

const grammar = {
  target: new RegExp(`^[A-Za-z0-9._-]{0,${maxName}}$`),
  source: new RegExp(`^[A-Za-z0-9._-]{1,${maxName}}$`),
  service: new RegExp(`^[A-Za-z0-9._-]{1,${maxName}}$`),
  argument: new RegExp(`^[A-Za-z0-9._+-]{0,${maxArgument}}$`),
} as const satisfies Record<keyof CallRequest, RegExp>;

/** The reason why the request is invalid, with the field and its rule; undefined if it is valid. */
export const invalidRequestReason = (request: CallRequest): string | undefined => {
  if (!grammar.target.test(request.target)) {
    return `the VM's name must be at most ${maxName} of A-Za-z0-9._-`;
  }
  if (request.source !== undefined) {
    if (!grammar.source.test(request.source)) {
      return `the calling VM's name must be 1 to ${maxName} of A-Za-z0-9._-`;
    }
    if (request.target !== '') return 'a call with a source must have an empty target';
  }
  if (!grammar.service.test(request.service)) {
    return `the service's name must be 1 to ${maxName} of A-Za-z0-9._-`;
  }
  if (!grammar.argument.test(request.argument)) {
    return `the argument must be at most ${maxArgument} of A-Za-z0-9._+-`;
  }
  return undefined;
};

/** The payload of OPEN, or of VOUCH if the request has a source. */
export const encodeRequest = ({ target, service, argument, source }: CallRequest): Buffer =>
  Buffer.from(
    [source ?? target, service, argument]
      .map((field) => String.fromCharCode(field.length) + field)
      .join(''),
    'latin1',
  );

/** @throws Violation on a malformed payload or an invalid request */
export const readRequest = (frame: 'open' | 'vouch', payload: Buffer): CallRequest => {
  let at = 0;
  const field = () => {
    const bytes = readField(payload, at);
    at += 1 + bytes.length;
    return bytes.toString('latin1');
  };
  const who = frame === 'open' ? { target: field() } : { target: '', source: field() };
  const request = { ...who, service: field(), argument: field() };
  if (at !== payload.length) throw new Violation('payload', `${frame} has bytes after its fields`);
  const reason = invalidRequestReason(request);
  if (reason !== undefined) throw new Violation('payload', reason);
  return request;
};

export const encodeRefusal = ({ code, text }: Refusal): Buffer =>
  Buffer.from(`${String.fromCharCode(refusalCodes.indexOf(code) + 1)}${wireText(text)}`, 'latin1');

/** @throws Violation on an unknown code or text that is not printable */
export const readRefusal = (payload: Buffer): Refusal => {
  const code = refusalCodes[(payload[0] ?? 0) - 1];
  if (code === undefined) throw new Violation('payload', `no refusal has code ${payload[0]}`);
  return { code, text: readText(payload.subarray(1)) };
};

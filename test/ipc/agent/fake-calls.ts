/** Calls without a link: the test decides how they end. */
import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { CallRequest, IncomingCall, Outcome } from '../../../src/ipc/protocol/call.ts';
import { deferred } from '../../../src/system/deferred.ts';
import { fakeLink } from './fake-peers.ts';

/** A call that has arrived with this input. `ended` resolves with its end and its whole stdout. */
export const incomingCall = (target: string, input = '') => {
  const end = deferred<string>();
  const cancel = new AbortController();
  const stdin = new PassThrough();
  const stdout = new PassThrough();
  const stderr = new PassThrough().resume();
  stdin.end(input);
  const finish = (how: string): void => {
    end.resolve(how);
    stdout.end();
    stderr.end();
  };
  const call: IncomingCall = {
    request: { target, service: 'sign', argument: 'key1' },
    stdin,
    stdout,
    stderr,
    refuse: ({ code, text }) => finish(`${code}: ${text}`),
    exit: (status) => finish(`exit ${status}`),
    cancelled: cancel.signal,
  };
  const output = buffer(stdout);
  const ended = async () => ({ end: await end.promise, output: `${await output}` });
  return { call, ended, cancel: () => cancel.abort() };
};

/** A link that answers each call with `outcome`, and with its input as output. It records the requests. */
export const answeringLink = (outcome: Outcome, version = 2) => {
  const requests: CallRequest[] = [];
  const link = fakeLink(0, {
    version: () => version,
    open: (request) => {
      requests.push(request);
      const stdin = new PassThrough();
      const stderr = new PassThrough();
      stderr.end();
      // A refusal closes all channels.
      if (outcome.kind === 'refused') {
        stdin.destroy();
        stderr.destroy();
      }
      return {
        stdin,
        stdout: outcome.kind === 'refused' ? new PassThrough().destroy() : stdin,
        stderr,
        outcome: Promise.resolve(outcome),
        cancel: () => {},
      };
    },
  });
  return { link, requests };
};

export const exited: Outcome = { kind: 'exited', status: 0 };

export const refusedAs = (code: 'unreachable' | 'denied', text: string): Outcome => ({
  kind: 'refused',
  refusal: { code, text },
});

/** Two muxes over an in-memory link. */
import { buffer } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { IncomingCall, OutgoingCall } from '../../../src/ipc/protocol/call.ts';
import { openMux } from '../../../src/ipc/protocol/mux.ts';
import { duplexPair } from './duplex-pair.ts';
import { done } from './raw-peer.ts';

/**
 * Links a client with a server whose calls `onCall` handles. Not for concurrent tests, since it uses
 * `onTestFinished`.
 */
export const linked = async (onCall: (call: IncomingCall) => void, capacity?: number) => {
  const [ours, theirs] = duplexPair(capacity);
  const refuse = (call: IncomingCall) => call.refuse({ code: 'not-found', text: 'a caller' });
  const server = openMux(ours, { role: 'server', name: 'target', onCall });
  const client = openMux(theirs, { role: 'client', name: 'caller', onCall: refuse });
  onTestFinished(() => client.close(done));
  await Promise.all([server.ready, client.ready]);
  return { server, client, ours, theirs };
};

/** Answers a call with its input. */
export const echo = (call: IncomingCall): void => {
  call.stdin.on('end', () => call.exit(0)).pipe(call.stdout);
};

export const request = (service: string, argument = '') => ({ target: '', service, argument });

/** Sends `input` to a call; gives its whole outputs and its outcome. */
export const talk = async (call: OutgoingCall, input: Buffer) => {
  call.stdin.end(input);
  const [stdout, stderr, outcome] = await Promise.all([
    buffer(call.stdout),
    buffer(call.stderr),
    call.outcome,
  ]);
  return { stdout, stderr, outcome };
};

import { expect, test } from 'vitest';
import {
  haveEnded,
  haveWork,
  type Outputs,
  takeTurn,
} from '../../../src/ipc/protocol/incoming-stream.ts';
import { createOutbound } from '../../../src/ipc/protocol/outbound.ts';
import { recordFrames } from './recorded-frames.ts';

const newOutputs = (): Outputs => ({
  stdout: createOutbound('stdout', 1, () => {}),
  stderr: createOutbound('stderr', 1, () => {}),
  last: undefined,
});

test('stdout comes first, and then the outputs alternate', () => {
  const outputs = newOutputs();
  expect([haveWork(outputs), takeTurn(outputs)]).toEqual([false, undefined]);
  for (const { writable } of [outputs.stderr, outputs.stdout]) writable.write('x');
  expect(haveWork(outputs)).toBe(true);
  const turns = [1, 2, 3].map(() => takeTurn(outputs));
  expect(turns).toEqual([outputs.stdout, outputs.stderr, outputs.stdout]);
});

test.each(['stdout', 'stderr'] as const)('%s alone has every turn', (name) => {
  const outputs = newOutputs();
  outputs[name].writable.write('x');
  expect([1, 2].map(() => takeTurn(outputs))).toEqual([outputs[name], outputs[name]]);
});

test('the outputs have ended when both ends are sent', () => {
  const outputs = newOutputs();
  const outbox = recordFrames();
  for (const { writable } of [outputs.stderr, outputs.stdout]) writable.destroy();
  takeTurn(outputs)?.send(outbox);
  expect(haveEnded(outputs)).toBe(false);
  takeTurn(outputs)?.send(outbox);
  expect(outbox.take()).toEqual(['stdout 1', 'stderr 1']);
  expect([haveEnded(outputs), haveWork(outputs)]).toEqual([true, false]);
});

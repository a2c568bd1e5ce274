import { expect, test } from 'vitest';
import { createHandshake } from '../../../src/ipc/protocol/handshake.ts';
import { encodeHello } from '../../../src/ipc/protocol/hello.ts';
import { greatestVersion } from '../../../src/ipc/protocol/limits.ts';

/** A peer's HELLO that supports the versions 1 to `most`. */
const helloOf = (most: number): Buffer => {
  const hello = encodeHello('peer');
  hello.writeUInt16LE(most, 6);
  return hello;
};

test('only HELLO may come before HELLO', () => {
  const handshake = createHandshake();
  expect(() => handshake.check('ping')).toThrow('ping before the hello');
  expect(() => handshake.check('open')).toThrow('open before the hello');
  handshake.check('hello');
  expect(handshake.version()).toBe(0);
});

test('HELLO makes the handshake ready and sets the greatest common version', async () => {
  const handshake = createHandshake();
  handshake.take(helloOf(99));
  expect(handshake.version()).toBe(greatestVersion);
  await expect(handshake.ready).resolves.toBeUndefined();
  handshake.check('open');
});

test('VOUCH is legal from version 2 on', () => {
  const [old, current] = [createHandshake(), createHandshake()];
  old.take(helloOf(1));
  current.take(helloOf(2));
  expect(() => old.check('vouch')).toThrow('vouch in version 1');
  current.check('vouch');
});

test('a second HELLO is a violation', () => {
  const handshake = createHandshake();
  handshake.take(helloOf(2));
  expect(() => handshake.take(helloOf(2))).toThrow('a second hello');
});

test('a malformed HELLO leaves the handshake unready', () => {
  const handshake = createHandshake();
  expect(() => handshake.take(helloOf(0))).toThrow('this side speaks versions');
  expect(handshake.version()).toBe(0);
});

test('a failure rejects `ready` only before HELLO', async () => {
  const [early, late] = [createHandshake(), createHandshake()];
  late.take(helloOf(2));
  for (const handshake of [early, late]) handshake.fail(new Error('the link closed'));
  await expect(early.ready).rejects.toThrow('the link closed');
  await expect(late.ready).resolves.toBeUndefined();
});

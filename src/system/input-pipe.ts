/**
 * A pipe to a program's stdin. Node itself would create a socket. Nft and conntrack open their stdin by its
 * path, and the kernel refuses to open a socket that way (nodejs/node#21941).
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadNative } from '../xen/native.ts';

/**
 * The path by which any program can open its own stdin. A program may open /dev/stdin for "-", and that
 * path does not exist without a device manager.
 */
export const stdinFile = '/proc/self/fd/0';

export type InputPipe = {
  /** The read end, which the program inherits. */
  readonly descriptor: number;
  /** Closes our copy of the read end. Call it after the program has started or has failed to start. */
  readonly handOver: () => void;
  /** Sends the whole input; may be called once. Resolves with true if the pipe took all of it. */
  readonly send: (input: string) => Promise<boolean>;
  /** Call it when no program reads the pipe any more. A pending `send` resolves with false. */
  readonly close: () => void;
};

const openSocket = (fd: number, other: number): Socket => {
  try {
    return new Socket({ fd, readable: false, writable: true });
  } catch (error) {
    closeSync(fd);
    closeSync(other);
    throw error;
  }
};

/** Throws an Error with the errno's name in `code`, or as `loadNative` does. It leaves no descriptor open. */
export const openInputPipe = (): InputPipe => {
  const [descriptor, ours] = loadNative().pipe();
  const socket = openSocket(ours, descriptor);
  // The program stopped reading (EPIPE). "close" follows and settles `send`.
  socket.on('error', () => undefined);
  return {
    descriptor,
    handOver: () => closeSync(descriptor),
    send: (input) =>
      new Promise((resolve) => {
        // A destroyed socket emits neither event.
        if (socket.destroyed) return resolve(false);
        socket.once('finish', () => resolve(true));
        socket.once('close', () => resolve(false));
        socket.end(input);
      }),
    close: () => socket.destroy(),
  };
};

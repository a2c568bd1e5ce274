/**
 * A pipe to a program's stdin. Node would make it a socket, which nft and conntrack, who open it by its name, cannot
 * open (nodejs/node#21941).
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadNative } from '../xen/native.ts';

/** Of any program. What it calls "-" may be /dev/stdin, which is not there without a device manager. */
export const stdinFile = '/proc/self/fd/0';

export type InputPipe = {
  /** The program's end. */
  readonly descriptor: number;
  /** To be called once the program has its end, or never will. */
  readonly handOver: () => void;
  /** To be called once; resolves with whether the pipe took all. */
  readonly send: (input: string) => Promise<boolean>;
  /** For when nobody reads any more; what waits in `send` resolves with false. */
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

/** Throws an errno's Error, or what `loadNative` throws; nothing is left open then. */
export const openInputPipe = (): InputPipe => {
  const [descriptor, ours] = loadNative().pipe();
  const socket = openSocket(ours, descriptor);
  // A program that does not read to the end; "close" follows.
  socket.on('error', () => undefined);
  return {
    descriptor,
    handOver: () => closeSync(descriptor),
    send: (input) =>
      new Promise((resolve) => {
        // Otherwise neither event would come.
        if (socket.destroyed) return resolve(false);
        socket.once('finish', () => resolve(true));
        socket.once('close', () => resolve(false));
        socket.end(input);
      }),
    close: () => socket.destroy(),
  };
};

/**
 * A pipe to a program's stdin. Node would make it a socket, which nft and conntrack, who open it by its name, cannot
 * open (nodejs/node#21941).
 */
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { loadNative } from '../xen/native.ts';

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

/** Throws an errno's Error, or what `loadNative` throws. */
export const openInputPipe = (): InputPipe => {
  const [descriptor, ours] = loadNative().pipe();
  const socket = new Socket({ fd: ours, readable: false, writable: true });
  // A program that does not read to the end; "close" follows.
  socket.on('error', () => undefined);
  return {
    descriptor,
    handOver: () => closeSync(descriptor),
    send: (input) =>
      new Promise((resolve) => {
        if (socket.destroyed) resolve(false);
        socket.once('finish', () => resolve(true));
        socket.once('close', () => resolve(false));
        socket.end(input);
      }),
    close: () => socket.destroy(),
  };
};

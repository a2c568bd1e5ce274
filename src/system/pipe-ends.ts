/** Streams for our ends of pipes. */
import { Socket } from 'node:net';

/** A stream that closes the descriptor when it is destroyed, or when it has ended and all data is written. */
export const writableEnd = (fd: number): Socket =>
  new Socket({ fd, readable: false, writable: true });

/** A stream that closes the descriptor when it is destroyed, or when all data up to the end has been read. */
export const readableEnd = (fd: number): Socket =>
  new Socket({ fd, readable: true, writable: false });

/** A connected vchan as a Duplex stream. */
import { Duplex } from 'node:stream';
import type { NativeVchan } from '../../xen/native.ts';
import { toVchanError, VchanError } from './vchan-error.ts';

/** The most bytes per read, and each direction's high-water mark: the size of a usual ring. */
const maxRead = 64 * 1024;
/** The bytes to read before other events are handled. Otherwise a busy peer could block the event loop. */
const maxBurst = 256 * 1024;
/** The least number of bytes that a read counts for. */
const minCost = 4 * 1024;

type Writing = { chunks: readonly Uint8Array[]; readonly done: (error?: Error) => void };

/** Returns the rest of the chunks after their first `written` bytes. */
const dropWritten = (chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] => {
  let left = written;
  let next = 0;
  for (const chunk of chunks) {
    if (chunk.length > left) break;
    left -= chunk.length;
    next += 1;
  }
  const [first, ...others] = chunks.slice(next);
  return first ? [first.subarray(left), ...others] : [];
};

/**
 * A vchan has no half-close: `end()` closes it once all written data is in the ring, where the peer can still
 * read it. If the peer closes, the stream ends without an error, and later writes are lost. Corruption
 * destroys the stream with a VchanError.
 */
export class VchanStream extends Duplex {
  readonly #vchan: NativeVchan;
  #buffer = Buffer.allocUnsafeSlow(maxRead);
  #closed = false;
  #wanted = false;
  #burst = 0;
  #later: NodeJS.Immediate | undefined;
  #writing: Writing | undefined;

  constructor(vchan: NativeVchan) {
    super({
      allowHalfOpen: false,
      readableHighWaterMark: maxRead,
      writableHighWaterMark: maxRead,
    });
    this.#vchan = vchan;
    this.on('resume', () => this.#receive());
  }

  /** Handles an event of the vchan. It must be called for each event. */
  handleEvent(): void {
    if (this.#later === undefined) this.#burst = 0;
    this.#write();
    this.#receive();
  }

  override _read(): void {
    this.#wanted = true;
    this.#receive();
  }

  override _writev(items: { chunk: Buffer }[], done: (error?: Error) => void): void {
    this.#writing = { chunks: items.map(({ chunk }) => chunk), done };
    this.#write();
  }

  /** All written data is in the ring when Node calls this. */
  override _final(done: () => void): void {
    this.#close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#vchan.close();
    this.#endWriting(error ?? new VchanError('VCHAN_CLOSED', 'the vchan was closed'));
    done(error);
  }

  #write(): void {
    const writing = this.#writing;
    if (!writing || this.destroyed) return;
    if (this.#closed) {
      this.#endWriting();
      return;
    }
    const written = this.#guard(() => this.#vchan.write(writing.chunks));
    if (written === undefined) return;
    writing.chunks = dropWritten(writing.chunks, written);
    if (writing.chunks.length === 0) this.#endWriting();
  }

  #endWriting(error?: Error): void {
    const writing = this.#writing;
    this.#writing = undefined;
    writing?.done(error);
  }

  #receive(): void {
    // A later read is already scheduled. One more for each call would make their number grow.
    if (this.#later !== undefined) return;
    // A paused stream reads nothing, so that the ring fills, and the peer sends no more events.
    if (this.#isPaused()) return;
    while (!this.destroyed && !this.#closed) {
      if (this.#burst >= maxBurst) {
        this.#receiveLater();
        return;
      }
      const length = this.#guard(() => this.#vchan.read(this.#buffer, this.#wanted));
      if (!length) return;
      if (length < 0) {
        this.#close();
        return;
      }
      this.#burst += Math.max(length, minCost);
      this.#wanted = this.push(this.#take(length));
    }
  }

  /** Whether the consumer wants no data for now. One that waits for `readable` does want some. */
  #isPaused(): boolean {
    return this.readableFlowing === false && this.listenerCount('readable') === 0;
  }

  #receiveLater(): void {
    this.#later = setImmediate(() => {
      this.#later = undefined;
      this.#burst = 0;
      this.#receive();
    });
  }

  /** Closes the vchan and ends the stream. Drops unwritten data, because the peer will not read it. */
  #close(): void {
    this.#closed = true;
    this.#vchan.close();
    this.#endWriting();
    this.push(null);
  }

  /**
   * Takes the bytes from the buffer. It copies short ones, so that a consumer keeps at most twice its bytes
   * in memory.
   */
  #take(length: number): Buffer {
    const bytes = this.#buffer.subarray(0, length);
    if (length < maxRead / 2) return Buffer.from(bytes);
    this.#buffer = Buffer.allocUnsafeSlow(maxRead);
    return bytes;
  }

  #guard(call: () => number): number | undefined {
    try {
      return call();
    } catch (error) {
      this.destroy(toVchanError(error));
      return undefined;
    }
  }
}

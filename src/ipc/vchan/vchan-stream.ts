/** A connected vchan as a stream. */
import { Duplex } from 'node:stream';
import type { NativeVchan } from '../../xen/native.ts';
import { toVchanError, VchanError } from './vchan-error.ts';

/** As much as a ring of the usual size holds, in one go; also each direction's high-water mark. */
const maxRead = 64 * 1024;
/** What may be read before the loop turns to others, who else would wait for as long as a peer writes. */
const maxBurst = 256 * 1024;
/** What a read counts at least. */
const minCost = 4 * 1024;

type Writing = { chunks: readonly Uint8Array[]; readonly done: (error?: Error) => void };

/** What is left of the chunks once `written` bytes of them are gone. */
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
 * A vchan knows no half-close: `end()` closes it once all that was written is in the ring, where the peer
 * can still read it. A peer that closes ends the stream without an error; what is written after that is
 * lost. Corruption destroys it with a VchanError.
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
  }

  /** To be called at each event of the vchan. */
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

  /** Everything is in the ring. */
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
    // The next turn is due already: one more for each call would be ever more of them.
    if (this.#later !== undefined) return;
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

  #receiveLater(): void {
    this.#later = setImmediate(() => {
      this.#later = undefined;
      this.#burst = 0;
      this.#receive();
    });
  }

  /** What is still to be written will not be read by anyone. */
  #close(): void {
    this.#closed = true;
    this.#vchan.close();
    this.#endWriting();
    this.push(null);
  }

  /** What is kept of the buffer is at least half of it: a consumer's memory is then no more than twice its bytes. */
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

/** Why a channel of a call was destroyed. */
export class ChannelError extends Error {
  /** EPIPE: the other end reads no more. CANCELLED: by the caller. LINK_LOST: the end of the data is not known. */
  readonly code: 'EPIPE' | 'CANCELLED' | 'LINK_LOST';
  constructor(code: ChannelError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export const brokenPipe = (): ChannelError =>
  new ChannelError('EPIPE', 'the other end reads no more');

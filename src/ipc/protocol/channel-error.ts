/** The reason why a call's channel was destroyed. */
export class ChannelError extends Error {
  /**
   * EPIPE: the other end stopped reading. CANCELLED: the caller cancelled. LINK_LOST: the data may be
   * incomplete.
   */
  readonly code: 'EPIPE' | 'CANCELLED' | 'LINK_LOST';
  constructor(code: ChannelError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export const brokenPipe = (): ChannelError =>
  new ChannelError('EPIPE', 'the other end has stopped reading');

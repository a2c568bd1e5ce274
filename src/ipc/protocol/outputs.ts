/** A target's two outputs. They take turns, so that neither holds up the other. */
import type { Outbound } from './outbound.ts';

export type Outputs = {
  readonly stdout: Outbound;
  readonly stderr: Outbound;
  /** The output that sent the last frame. */
  last: Outbound | undefined;
};

export const haveWork = ({ stdout, stderr }: Outputs): boolean =>
  stdout.hasWork() || stderr.hasWork();

export const haveEnded = ({ stdout, stderr }: Outputs): boolean =>
  stdout.hasEnded() && stderr.hasEnded();

/** Returns the output that sends the next frame; undefined if neither has work. */
export const takeTurn = (outputs: Outputs): Outbound | undefined => {
  const { stdout, stderr, last } = outputs;
  const first = last === stdout ? stderr : stdout;
  const second = first === stdout ? stderr : stdout;
  outputs.last = second.hasWork() ? second : undefined;
  if (first.hasWork()) outputs.last = first;
  return outputs.last;
};

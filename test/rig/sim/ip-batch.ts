/** A long-running `ip -batch`, which makes a link in half a millisecond, without a process start. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export type IpBatch = {
  /** Queues commands, one per line; resolves with ip's output, rejects with its error messages. */
  run(command: string): Promise<string>;
  close(): Promise<void>;
};

// Both follow each command. ip's unbuffered error messages are out before ip reads them.
const endOfOutput = 'link show dev lo';
const endOfComplaints = 'end';
const isEndOfOutput = (line: string): boolean => /^\d+: lo:/.test(line);
const isEndOfComplaints = (line: string): boolean => line.startsWith(`Object "${endOfComplaints}"`);

type Lines = AsyncIterator<string, undefined>;

/** Reads the lines up to an end line, which has one more line behind it. */
const linesUntil = async (lines: Lines, isEnd: (line: string) => boolean): Promise<string[]> => {
  const before: string[] = [];
  for (;;) {
    const line = await lines.next();
    if (line.done) throw new Error(`ip has ended: ${before.join('\n')}`);
    if (isEnd(line.value)) break;
    before.push(line.value);
  }
  await lines.next();
  return before;
};

const spawnIp = (argv: readonly string[], env: Record<string, string>) => {
  const [file = '', ...args] = [...argv, '-force', '-batch', '-'];
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: 'pipe' });
  const linesOf = (input: Readable): Lines => createInterface({ input })[Symbol.asyncIterator]();
  child.stdin.on('error', () => undefined); // the end of ip is noticed in its output
  return {
    input: child.stdin,
    output: linesOf(child.stdout),
    complaints: linesOf(child.stderr),
    ended: once(child, 'exit'),
  };
};

/** @param argv the `ip` command, with the words that run it in the right namespace */
export const startIpBatch = (argv: readonly string[], env: Record<string, string>): IpBatch => {
  const ip = spawnIp(argv, env);
  let turn: Promise<unknown> = Promise.resolve();
  const answerTo = async (command: string): Promise<string> => {
    const [shown, complained] = await Promise.all([
      linesUntil(ip.output, isEndOfOutput),
      linesUntil(ip.complaints, isEndOfComplaints),
    ]);
    if (complained.length > 0) throw new Error(`ip ${command}: ${complained.join('\n')}`);
    return shown.join('\n');
  };
  return {
    run: (command) => {
      ip.input.write(`${command}\n${endOfOutput}\n${endOfComplaints}\n`);
      const result = turn.then(() => answerTo(command));
      turn = result.catch(() => undefined);
      return result;
    },
    close: async () => {
      ip.input.end();
      await ip.ended;
    },
  };
};

/** One end of a vchan in a process of its own, which runs its parent's commands. */
import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import type { Domid } from '../../../../src/address/domid.ts';
import {
  joinVchan,
  openVchanServer,
  type RingSizes,
  type VchanServer,
} from '../../../../src/ipc/vchan/vchan.ts';
import type { VchanError } from '../../../../src/ipc/vchan/vchan-error.ts';
import { VchanStream } from '../../../../src/ipc/vchan/vchan-stream.ts';

const hashOf = (parts: readonly Buffer[]): string => {
  const hash = createHash('sha1');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
};

/** Reads a descriptor's link; empty if it is closed, like the one with which the directory was read. */
const targetOf = (name: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    return '';
  }
};

const countDescriptors = (): number => readdirSync('/proc/self/fd').length;

let server: VchanServer | undefined;
let link: Promise<Duplex> = new Promise(() => undefined);
/**
 * The link's events: 'end', 'close' or an error's code, with the time in ms on the system's monotonic clock.
 */
let events: { readonly what: string; readonly at: number }[] = [];

/** Counts how often the vchans of this process handled an event, or checked the ring without one. */
let handled = 0;
const { handleEvent } = VchanStream.prototype;
VchanStream.prototype.handleEvent = function (): void {
  handled += 1;
  handleEvent.call(this);
};

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const use = (next: Promise<Duplex>): void => {
  const seen: typeof events = [];
  events = seen;
  const see = (what: string) => seen.push({ what, at: now() });
  link = next.then((stream) => {
    stream.once('end', () => see('end'));
    stream.once('close', () => see('close'));
    stream.once('error', (error) => see('code' in error ? `${error.code}` : error.message));
    return stream;
  });
  link.catch(() => undefined);
};

/** Reads `size` bytes, or fewer if the stream ends earlier. */
const readAtMost = async (size: number) => {
  const stream = await link;
  const parts: Buffer[] = [];
  let length = 0;
  while (length < size && !stream.readableEnded && !stream.destroyed) {
    const part: Buffer | null = stream.read(Math.min(size - length, stream.readableLength || 1));
    if (part) {
      parts.push(part);
      length += part.length;
    } else {
      const gone = new AbortController();
      const { signal } = gone;
      const nothing = () => undefined;
      await Promise.race(
        ['readable', 'end', 'close'].map((event) => once(stream, event, { signal }).catch(nothing)),
      );
      gone.abort();
    }
  }
  return { length, hash: hashOf(parts) };
};

const write = async (size: number) => {
  const stream = await link;
  const bytes = randomBytes(size);
  await new Promise<void>((resolve, reject) => {
    stream.write(bytes, (error) => (error ? reject(error) : resolve()));
  });
  return { length: size, hash: hashOf([bytes]) };
};

const commands = {
  serve: (peer: Domid, sizes?: RingSizes) => {
    server?.close();
    server = openVchanServer(peer, sizes);
  },
  offer: () => {
    if (!server) throw new Error('no server');
    const { connected, ...numbers } = server.offer();
    use(connected);
    return numbers;
  },
  join: (domid: Domid, ringRef: number, eventChannel: number) => {
    use(Promise.resolve(joinVchan(domid, ringRef, eventChannel)));
  },
  connected: async () => {
    await link;
  },
  write,
  read: readAtMost,
  readAll: () => readAtMost(Number.POSITIVE_INFINITY),
  /** Writes until the stream stays full. Gives the bytes that it has taken, and those that wait in it. */
  fill: async () => {
    const stream = await link;
    let taken = 0;
    const block = Buffer.alloc(16 * 1024);
    const isDrained = async () => {
      // The reader has this time to make room. If it needs more, only less is written.
      const waited = new Promise<false>((resolve) => setTimeout(resolve, 200, false));
      return Promise.race([once(stream, 'drain').then(() => true), waited]);
    };
    do {
      while (stream.write(block)) taken += block.length;
      taken += block.length;
    } while (await isDrained());
    return { taken, waiting: stream.writableLength };
  },
  end: async () => {
    (await link).end();
  },
  destroy: async () => {
    (await link).destroy();
  },
  resume: async () => {
    (await link).resume();
  },
  close: () => {
    server?.close();
    server?.close();
  },
  events: () => events,
  handled: () => ({ count: handled, at: now() }),
  memory: () => process.memoryUsage().rss,
  /** The descriptors of this process, and those of a program that it starts. */
  descriptors: () => {
    const own = readdirSync('/proc/self/fd').map(targetOf);
    const { stdout } = spawnSync('ls', ['-l', '/proc/self/fd'], { encoding: 'utf8' });
    return { own, inherited: stdout };
  },
  /** Opens servers until that fails. */
  exhaust: (peer: Domid) => {
    const servers: VchanServer[] = [];
    try {
      for (;;) servers.push(openVchanServer(peer, { left: 1 << 20, right: 1 << 20 }));
    } catch (error) {
      const { code, message } = error as VchanError;
      return { opened: servers.length, error: { code, message } };
    } finally {
      for (const server of servers) server.close();
    }
  },
  /** Opens 40 servers, with and without a session, and closes some. Gives the number of descriptors then. */
  openAndForget: (peer: Domid) => {
    for (let i = 0; i < 40; i++) {
      const server = openVchanServer(peer);
      if (i % 2 === 0) server.offer();
      if (i % 4 < 3) server.close();
    }
    return countDescriptors();
  },
  residue: () => {
    globalThis.gc?.();
    return countDescriptors();
  },
};

export type Commands = typeof commands;
export type Call = { readonly id: number; readonly name: keyof Commands; readonly args: never[] };
export type Reply = {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: unknown; readonly message: string };
};

process.on('message', async ({ id, name, args }: Call) => {
  const reply = (content: Omit<Reply, 'id'>) => process.send?.({ id, ...content });
  try {
    reply({ result: await Reflect.apply(commands[name], undefined, args) });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    reply({ error: { code, message: `${error}` } });
  }
});

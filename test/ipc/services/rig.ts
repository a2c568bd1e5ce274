/** Services in a directory of their own, and calls to them whose streams are in our hands. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runService } from '../../../src/ipc/services/run-service.ts';
import {
  openServices,
  type ServiceCall,
  servicesEnded,
} from '../../../src/ipc/services/services.ts';
import { listen } from '../../../src/system/listening-socket.ts';

type CallOptions = Partial<Pick<ServiceCall, 'user' | 'source' | 'via' | 'cancelled'>> & {
  /** Whether somebody takes what the service says; true if not given. */
  readonly reads?: boolean;
};

type Said = { readonly text: () => string };

/** What was said so far. */
const record = (stream: PassThrough): Said => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString() };
};

/** For a script in sh: waits until the test lets it go on. */
export const untilReleased = 'until [ -e "$0.released" ]; do sleep 0.05; done\n';

export const openRig = async () => {
  const root = await mkdtemp(join(tmpdir(), `vifwatch-services.${process.pid}.`));
  await chmod(root, 0o755); // for services of other users
  const directory = join(root, 'services');
  const configDirectory = join(root, 'services.d');
  await mkdir(directory);
  await mkdir(configDirectory);
  const reports: string[] = [];
  const services = openServices({
    ...{ directory, configDirectory },
    report: (text) => reports.push(text),
  });
  const ends: (() => Promise<unknown>)[] = [];

  /** A call of `name+argument`, or of `name`. */
  const call = (name: string, options: CallOptions = {}) => {
    const [service = '', argument = ''] = name.split(/\+(.*)/s);
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const { reads = true, source = 'work-vm', via, user } = options;
    const controller = new AbortController();
    const ended = runService(
      {
        ...{ request: { target: '', service, argument }, source, via, user },
        ...{ stdin, stdout, stderr, cancelled: options.cancelled ?? controller.signal },
      },
      services,
    );
    ends.push(() => {
      controller.abort();
      return ended;
    });
    const [out, err] = reads ? [record(stdout), record(stderr)] : [];
    return {
      ...{ stdin, stdout, stderr, ended },
      cancel: () => controller.abort(),
      said: () => out?.text() ?? '',
      saidOnStderr: () => err?.text() ?? '',
    };
  };

  return {
    ...{ directory, configDirectory, reports, services, call },
    /** An executable file. */
    script: async (name: string, text: string, mode = 0o755): Promise<string> => {
      const path = join(directory, name);
      await writeFile(path, text);
      await chmod(path, mode);
      return path;
    },
    /** Lets a script go on that waits in `untilReleased`. */
    release: (name: string): Promise<void> => writeFile(join(directory, `${name}.released`), ''),
    config: (name: string, text: string): Promise<void> =>
      writeFile(join(configDirectory, `${name}.toml`), text),
    /** A service that is a socket; `serve` gets each connection. */
    resident: async (name: string, serve: (socket: Socket) => void): Promise<void> => {
      const sockets = new Set<Socket>();
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        sockets.add(socket.on('error', () => undefined));
        serve(socket);
      });
      await listen(server, join(directory, name));
      ends.push(() => {
        for (const socket of sockets) socket.destroy();
        return new Promise((resolve) => server.close(resolve));
      });
    },
    /** A whole call with an input. */
    run: async (name: string, input = '', options: CallOptions = {}) => {
      const running = call(name, options);
      running.stdin.end(input);
      const ended = await running.ended;
      return { ended, stdout: running.said(), stderr: running.saidOnStderr() };
    },
    /** Ends all calls and resident services, also those that a test which failed has left behind. */
    close: async () => {
      await Promise.all(ends.map((end) => end()));
      await servicesEnded(services);
      await rm(root, { recursive: true, force: true });
    },
  };
};

export type Rig = Awaited<ReturnType<typeof openRig>>;

export const exited = (status: number) => ({ kind: 'exited', status });
export const refused = (code: string) => ({ kind: 'refused', refusal: { code } });

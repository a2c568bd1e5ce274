/** Services in a temporary directory, and calls to them whose streams the test holds. */
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
  /** Whether the caller reads the service's output; true by default. */
  readonly reads?: boolean;
};

type Said = { readonly text: () => string };

/** Collects what is written to `stream`. */
const record = (stream: PassThrough): Said => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString() };
};

/** Shell lines that make a service wait until the test calls `release`. */
export const untilReleased = 'until [ -e "$0.released" ]; do sleep 0.05; done\n';

/** Opens the services of a new temporary directory; `close` removes it. */
export const openRig = async () => {
  const root = await mkdtemp(join(tmpdir(), `vifwatch-services.${process.pid}.`));
  await chmod(root, 0o755); // for services of other users
  const directory = join(root, 'services');
  const configDirectory = join(root, 'services.d');
  await mkdir(directory);
  await mkdir(configDirectory);
  const reports: string[] = [];
  const services = openServices({
    directory,
    configDirectory,
    report: (text) => reports.push(text),
  });
  const ends: (() => Promise<unknown>)[] = [];

  /** Starts a call of `name+argument`, or of `name`. */
  const call = (name: string, options: CallOptions = {}) => {
    const [service = '', argument = ''] = name.split(/\+(.*)/s);
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
    const { reads = true, source = 'work-vm', via, user } = options;
    const controller = new AbortController();
    const ended = runService(
      {
        request: { target: '', service, argument },
        source,
        via,
        user,
        stdin,
        stdout,
        stderr,
        cancelled: options.cancelled ?? controller.signal,
      },
      services,
    );
    ends.push(() => {
      controller.abort();
      return ended;
    });
    const [out, err] = reads ? [record(stdout), record(stderr)] : [];
    return {
      stdin,
      stdout,
      stderr,
      ended,
      cancel: () => controller.abort(),
      said: () => out?.text() ?? '',
      saidOnStderr: () => err?.text() ?? '',
    };
  };

  return {
    directory,
    configDirectory,
    reports,
    services,
    call,
    /** Writes the file of an executable service, and gives its path. */
    script: async (name: string, text: string, mode = 0o755): Promise<string> => {
      const path = join(directory, name);
      await writeFile(path, text);
      await chmod(path, mode);
      return path;
    },
    /** Lets a service continue that waits in `untilReleased`. */
    release: (name: string): Promise<void> => writeFile(join(directory, `${name}.released`), ''),
    config: (name: string, text: string): Promise<void> =>
      writeFile(join(configDirectory, `${name}.toml`), text),
    /** Listens as a service that is a socket; `serve` gets each connection. */
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
    /** Makes a call with `input`, and waits for its outcome. */
    run: async (name: string, input = '', options: CallOptions = {}) => {
      const running = call(name, options);
      running.stdin.end(input);
      const ended = await running.ended;
      return { ended, stdout: running.said(), stderr: running.saidOnStderr() };
    },
    /** Ends all calls and resident services, including those that a failed test has left behind. */
    close: async () => {
      await Promise.all(ends.map((end) => end()));
      await servicesEnded(services);
      await rm(root, { recursive: true, force: true });
    },
  };
};

export type Rig = Awaited<ReturnType<typeof openRig>>;

/** The expected end of a service that exits with `status`. */
export const exited = (status: number) => ({ kind: 'exited', status });
/** The expected refusal, to be matched with `toMatchObject`. */
export const refused = (code: string) => ({ kind: 'refused', refusal: { code } });

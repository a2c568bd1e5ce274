/** Services in a directory of their own, and calls to them whose streams are in our hands. */
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runService } from '../../src/services/run-service.ts';
import { openServices, type ServiceCall } from '../../src/services/services.ts';

type CallOptions = Partial<Pick<ServiceCall, 'user' | 'source' | 'via' | 'cancelled'>> & {
  /** Whether somebody takes what the service says; true if not given. */
  readonly reads?: boolean;
};

type Said = { readonly text: () => string };

/** What was said so far. */
const listen = (stream: PassThrough): Said => {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { text: () => Buffer.concat(chunks).toString() };
};

/** Resolves with what `probe` gives as soon as that is something; rejects after 10 s. */
export const eventually = async <T>(
  what: string,
  probe: () => T | undefined | false,
): Promise<T> => {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const found = probe();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within 10 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

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
    const [out, err] = reads ? [listen(stdout), listen(stderr)] : [];
    return {
      ...{ stdin, stdout, stderr, ended },
      cancel: () => controller.abort(),
      said: () => out?.text() ?? '',
      complained: () => err?.text() ?? '',
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
    config: (name: string, text: string): Promise<void> =>
      writeFile(join(configDirectory, `${name}.toml`), text),
    /** A whole call with an input. */
    run: async (name: string, input = '', options: CallOptions = {}) => {
      const running = call(name, options);
      running.stdin.end(input);
      const ended = await running.ended;
      return { ended, stdout: running.said(), stderr: running.complained() };
    },
    close: () => rm(root, { recursive: true, force: true }),
  };
};

export type Rig = Awaited<ReturnType<typeof openRig>>;

export const exited = (status: number) => ({ kind: 'exited', status });
export const refused = (code: string) => ({ kind: 'refused', refusal: { code } });

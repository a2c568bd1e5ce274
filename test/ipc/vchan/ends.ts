/** Two simulated domains with programs that are ends of vchans. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { build } from 'esbuild';
import { execa } from 'execa';
import type { RingSizes } from '../../../src/ipc/vchan/vchan.ts';
import { makeDomainTree } from '../../rig/sim/domain-tree.ts';
import { type Sim, startSim } from '../../rig/sim/sim.ts';
import { domidOf } from '../../support/domid.ts';
import type { Call, Commands, Reply } from './child/end.ts';

const root = new URL('../../../', import.meta.url).pathname;

type Result<Name extends keyof Commands> = Awaited<ReturnType<Commands[Name]>>;

/** A program that is one end of a vchan. */
export type End = {
  readonly pid: number;
  /** Runs a command in the program. Rejects with the command's error. */
  call<Name extends keyof Commands>(
    name: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Result<Name>>;
  /** Kills the program with SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
};

/**
 * Bundles a program into one file, so that it starts fast. The file is in the package directory `of` (this
 * one, or a copy of it), from which it finds the addon.
 */
export const bundleProgram = async (source: URL, of = root): Promise<string> => {
  const outfile = `${of}.cache/program-${basename(source.pathname, '.ts')}.${process.pid}.js`;
  const entryPoints = [source.pathname];
  await build({ entryPoints, outfile, bundle: true, platform: 'node', format: 'esm' });
  return outfile;
};

const startEnd = (program: string, env: Record<string, string>): End => {
  const child = fork(program, [], {
    execArgv: ['--expose-gc'],
    env: { ...process.env, ...env },
    serialization: 'advanced',
  });
  const ended = once(child, 'exit');
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  const pending = new Map<number, (reply: Reply) => void>();
  child.on('message', (reply: Reply) => pending.get(reply.id)?.(reply));
  child.on('exit', () => {
    for (const [id, settle] of pending) {
      settle({ id, error: { code: undefined, message: 'the end has ended' } });
    }
  });
  let lastId = 0;
  return {
    pid: child.pid ?? 0,
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        lastId += 1;
        const id = lastId;
        pending.set(id, ({ result, error }) => {
          pending.delete(id);
          if (error) reject(Object.assign(new Error(error.message), { code: error.code }));
          else resolve(result as Result<typeof name>);
        });
        child.send({ id, name, args } as unknown as Call);
      }),
    kill,
  };
};

/** The domid of the vchans' servers. */
export const serverDomid = domidOf(2);
/** The domid of the vchans' clients. */
export const clientDomid = domidOf(3);

export type Ends = Pick<Sim, 'env' | 'open'> & {
  readonly server: End;
  readonly client: End;
  /** Starts another program in the domain. */
  start(domid: number): End;
  close(): Promise<void>;
};

/** Starts both ends, once for all tests of a file, since a start takes longer than most tests. */
export const startEnds = async (): Promise<Ends> => {
  const program = await bundleProgram(new URL('./child/end.ts', import.meta.url));
  const sim = await startSim({ store: 'xenstored' });
  const dom0 = sim.open(0);
  await sim.hypervisor('create', [serverDomid, clientDomid]);
  await makeDomainTree(dom0, { domid: serverDomid, name: 'server' });
  await makeDomainTree(dom0, { domid: clientDomid, name: 'client' });
  dom0.close();
  const ends: End[] = [];
  const start = (domid: number): End => {
    const end = startEnd(program, sim.env({ domid, hypercalls: true }));
    ends.push(end);
    return end;
  };
  return {
    env: sim.env,
    open: sim.open,
    server: start(serverDomid),
    client: start(clientDomid),
    start,
    close: async () => {
      await Promise.all(ends.map((end) => end.kill()));
      await sim.close();
      rmSync(program);
    },
  };
};

type Pair = { readonly server: End; readonly client: End };

/** Opens a new session of the server, which must serve already. */
export const connect = async ({ server, client }: Pair): Promise<void> => {
  const { ringRef, eventChannel } = await server.call('offer');
  await client.call('join', serverDomid, ringRef, eventChannel);
  await server.call('connected');
};

/** Opens a session on new pages. */
export const connectAnew = async (pair: Pair, sizes?: RingSizes): Promise<void> => {
  await pair.server.call('serve', clientDomid, sizes);
  await connect(pair);
};

/** The path at which `buildPeer` puts the peer program. */
export const peerProgram = `${root}.cache/build/vchan-peer`;

/** Builds the peer program, which uses libxenvchan, and is honest or hostile; resolves with its path. */
export const buildPeer = async (): Promise<string> => {
  mkdirSync(dirname(peerProgram), { recursive: true });
  const source = `${root}test/ipc/vchan/peer.c`;
  const libraries = ['-lxenvchan', '-lxenevtchn'];
  await execa('cc', ['-Wall', '-Werror', '-O2', '-o', peerProgram, source, ...libraries]);
  return peerProgram;
};

/** Starts the peer program; resolves when it has printed its state. */
export const startPeer = async (env: Record<string, string>, args: readonly string[]) => {
  const program = execa(peerProgram, args, { env, reject: false });
  const [said] = await once(program.stdout, 'data');
  return {
    said: `${said}`.trim(),
    ended: program,
    /** Kills a peer that has not ended by itself; resolves when it is gone. */
    end: async () => {
      program.kill('SIGKILL');
      await program;
    },
  };
};

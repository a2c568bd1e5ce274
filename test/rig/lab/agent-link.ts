import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Toolstack } from '../host.ts';
import { labHangMs } from './until.ts';

/** A connection to the lab's agents in dom0 and in the other domains. */
export type AgentLink = {
  /**
   * Runs a command in a domain, without a shell. Commands run in parallel. If a signal ends a
   * command, its status is 128 plus the signal.
   * @throws Error if the command hangs
   */
  run(domain: string, argv: readonly string[]): Promise<Toolstack>;
  /** Tells dom0's agent the path of a domain's console. */
  connect(domain: string, console: string): Promise<void>;
  /** Resolves when a domain's agent next reports its start. @throws Error if it does not */
  started(domain: string): Promise<void>;
};

/** Speaks the agents' protocol on dom0's port; `agent/agent.cc` describes the protocol. */
export const openAgentLink = (port: Socket): AgentLink => {
  const waiting = new Map<string, { settle: (rest: string) => void; timer: NodeJS.Timeout }>();
  let next = 0;
  createInterface({ input: port }).on('line', (line) => {
    const [, id = '', rest = ''] = /^@(hello \S+|\d+ )(.*)$/.exec(line) ?? [];
    waiting.get(id.trim())?.settle(rest);
  });
  // Nobody waits for an answer after the end of the machine.
  port.once('close', () => {
    for (const { timer } of waiting.values()) clearTimeout(timer);
  });
  const answer = (id: string, what: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(new Error(`no answer within ${labHangMs / 1000} s: ${what}`));
      }, labHangMs);
      const settle = (rest: string): void => {
        clearTimeout(timer);
        waiting.delete(id);
        resolve(rest);
      };
      waiting.set(id, { settle, timer });
    });
  const run = async (host: string, argv: readonly string[]): Promise<Toolstack> => {
    next += 1;
    const answered = answer(String(next), `${host}: ${argv.join(' ')}`);
    port.write(`${next} ${host} ${argv.map(encode).join(' ')}\n`);
    return parse(await answered);
  };
  return {
    run,
    connect: async (domain, console) => {
      const { status } = await run('connect', [domain, console]);
      if (status !== 0) throw new Error(`dom0 cannot open ${console}, the console of ${domain}`);
    },
    started: async (domain) => {
      await answer(`hello ${domain}`, `the start of ${domain}`);
    },
  };
};

const parse = (answer: string): Toolstack => {
  const [status, seconds, stdout = '', stderr = ''] = answer.split(' ');
  return {
    status: Number(status),
    seconds: Number(seconds),
    stdout: decode(stdout),
    stderr: decode(stderr),
  };
};

const encode = (text: string): string => {
  const bytes = Buffer.from(text).toString('latin1');
  return `.${bytes.replace(/[^!-[\]-~]/g, (byte) => `\\${hex(byte)}`)}`;
};

const decode = (word: string): string => {
  const bytes = word
    .slice(1)
    .replace(/\\([0-9a-f]{2})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 16)));
  return Buffer.from(bytes, 'latin1').toString();
};

const hex = (byte: string): string => byte.charCodeAt(0).toString(16).padStart(2, '0');

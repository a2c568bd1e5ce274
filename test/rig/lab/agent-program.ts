import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';

const directory = join(import.meta.dirname, 'agent');
const flags = ['-std=c++20', '-O2', '-static', '-s', '-Wall', '-Wextra', '-Werror', '-Wconversion'];

/** Compiles a static program, which needs no libraries in a domain. */
const compiled = async (name: string, headers: readonly string[]): Promise<string> => {
  const sources = [`${name}.cc`, ...headers].map((source) => join(directory, source));
  const texts = await Promise.all(sources.map((source) => readFile(source, 'utf8')));
  const made = await cached(name, keyOf(...flags, ...texts), async (unfinished) => {
    await execa('g++', [...flags, join(directory, `${name}.cc`), '-o', join(unfinished, name)]);
  });
  return join(made, name);
};

/** Builds the lab's agent, which runs in every domain; resolves with its path. */
export const agentProgram = (): Promise<string> => compiled('agent', ['terminal.h', 'words.h']);

/** Builds the program with which a guest sends raw frames; resolves with its path. */
export const sendProgram = (): Promise<string> => compiled('send', []);

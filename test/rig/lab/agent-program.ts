import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { cached, keyOf } from './cache.ts';

const directory = join(import.meta.dirname, 'agent');
const flags = ['-std=c++20', '-O2', '-static', '-s', '-Wall', '-Wextra', '-Werror', '-Wconversion'];

/** Compiles the agent that runs in every domain: static, so that it needs nothing there. */
export const agentProgram = async (): Promise<string> => {
  const sources = ['agent.cc', 'terminal.h', 'words.h'].map((name) => join(directory, name));
  const texts = await Promise.all(sources.map((source) => readFile(source, 'utf8')));
  const made = await cached('agent', keyOf(...flags, ...texts), async (unfinished) => {
    await execa('g++', [...flags, join(directory, 'agent.cc'), '-o', join(unfinished, 'agent')]);
  });
  return join(made, 'agent');
};

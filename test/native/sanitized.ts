/** Copies of the package's addon that are built with sanitizers. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

const from = new URL('../../', import.meta.url).pathname;

/** The sanitizers of one copy: the thread sanitizer works with no other. */
type Sanitizers = {
  readonly directory: string;
  readonly flags: string;
  /** Symbols that only a sanitized addon has. */
  readonly symbols: readonly RegExp[];
  readonly runtime: string;
};

const kinds = {
  memory: {
    directory: 'sanitized',
    flags: '-fsanitize=address,undefined -fno-sanitize-recover=undefined',
    symbols: [/__asan_report_load8/, /__ubsan_handle_/],
    runtime: 'libasan.so',
  },
  threads: {
    directory: 'sanitized-threads',
    flags: '-fsanitize=thread',
    symbols: [/__tsan_read8/],
    runtime: 'libtsan.so',
  },
} as const satisfies Readonly<Record<string, Sanitizers>>;

export type SanitizedKind = keyof typeof kinds;

/** The copy's package directory. */
export const sanitizedRoot = (kind: SanitizedKind): string =>
  `${from}.cache/build/${kinds[kind].directory}/`;

const reportsOf = (kind: SanitizedKind): string => `${sanitizedRoot(kind)}reports/`;

const manifest = {
  private: true,
  type: 'module',
  scripts: { install: 'node-gyp configure build -C native' },
};

/** Rebuilds the changed parts of the addon. The first build takes half a minute. */
export const buildSanitized = async (kind: SanitizedKind): Promise<void> => {
  const root = sanitizedRoot(kind);
  const { flags, symbols } = kinds[kind];
  rmSync(reportsOf(kind), { recursive: true, force: true });
  mkdirSync(reportsOf(kind), { recursive: true });
  writeFileSync(`${root}package.json`, JSON.stringify(manifest));
  mkdirSync(`${root}native`, { recursive: true });
  // A header that was there for an earlier build would still be found.
  for (const name of readdirSync(`${root}native`)) {
    if (name !== 'build') rmSync(`${root}native/${name}`, { recursive: true });
  }
  const keepTimes = { recursive: true, preserveTimestamps: true };
  for (const name of readdirSync(`${from}native`)) {
    if (name !== 'build') cpSync(`${from}native/${name}`, `${root}native/${name}`, keepTimes);
  }
  const env = {
    // The sanitizers cannot check the C library's fortified functions.
    CXXFLAGS: `${flags} -U_FORTIFY_SOURCE -fno-omit-frame-pointer -g -O1`,
    LDFLAGS: flags,
    JOBS: '2',
  };
  await execa('npm', ['run', 'install', '--silent'], { cwd: root, env });
  const addon = readFileSync(`${root}native/build/Release/xen.node`, 'latin1');
  for (const symbol of symbols) assert.match(addon, symbol);
};

/** Builds a library that leaks, with a name that is attributed to the addon; resolves with its path. */
export const buildLeak = async (): Promise<string> => {
  const library = `${sanitizedRoot('memory')}libxenleak.so`;
  await execa('cc', ['-shared', '-g', '-o', library, `${from}test/native/leak.c`]);
  return library;
};

/** Builds a library whose two threads write one variable without a lock; resolves with its path. */
export const buildRace = async (): Promise<string> => {
  const library = `${sanitizedRoot('threads')}libxenrace.so`;
  const source = `${from}test/native/race.c`;
  await execa('cc', ['-shared', '-fPIC', '-g', '-fsanitize=thread', '-o', library, source]);
  return library;
};

/** The environment that makes a program load the sanitizers' runtime, and write each report to a file. */
export const sanitizedEnvironment = async (
  kind: SanitizedKind,
): Promise<Record<string, string>> => {
  const { stdout: runtime } = await execa('g++', [`-print-file-name=${kinds[kind].runtime}`]);
  const common = `log_path=${reportsOf(kind)}report:stack_trace_format="#%n %m %f %S"`;
  return {
    LD_PRELOAD: runtime,
    // Node itself has leaks, which would otherwise make it fail.
    ASAN_OPTIONS: `detect_leaks=1:exitcode=0:${common}`,
    UBSAN_OPTIONS: `print_stacktrace=1:${common}`,
    TSAN_OPTIONS: `exitcode=0:die_after_fork=0:suppressions=${from}test/native/node.suppressions:${common}`,
  };
};

const ours = /xen\.node|libxen/;

/** Whether the addon causes a leak that a report lists. */
const isOurLeak = (leak: string): boolean => {
  // #0 is the allocator. Memory that Node allocates for the addon is not the addon's leak: Node-API frees
  // promises when they are settled, and the promises of a terminated worker cannot be settled.
  const [, caller = ''] = leak.split('\n').filter((line) => line.trim().startsWith('#'));
  return ours.test(leak) && !caller.includes(process.execPath);
};

/** The sanitizers' reports since the build, except leaks of Node itself. */
export const sanitizerReports = (kind: SanitizedKind): string[] =>
  readdirSync(reportsOf(kind)).flatMap((name) => {
    const report = readFileSync(reportsOf(kind) + name, 'utf8');
    if (report.includes('ERROR: LeakSanitizer: detected memory leaks')) {
      return report.split('\n\n').filter((part) => part.includes(' leak of ') && isOurLeak(part));
    }
    return [report];
  });

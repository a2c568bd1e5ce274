/** A copy of the package's addon that is built with the address and undefined-behaviour sanitizers. */

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';

const from = new URL('../../', import.meta.url).pathname;
/** The copy's package directory. */
export const sanitizedRoot = `${from}.cache/build/sanitized/`;
const reports = `${sanitizedRoot}reports/`;

const manifest = {
  private: true,
  type: 'module',
  scripts: { install: 'node-gyp configure build -C native' },
};
const sanitize = '-fsanitize=address,undefined';
const buildEnvironment = {
  CXXFLAGS: `${sanitize} -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g -O1`,
  LDFLAGS: sanitize,
  JOBS: '2',
};

/** Rebuilds the changed parts of the addon. The first build takes half a minute. */
export const buildSanitized = async (): Promise<void> => {
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  writeFileSync(`${sanitizedRoot}package.json`, JSON.stringify(manifest));
  mkdirSync(`${sanitizedRoot}native`, { recursive: true });
  // A header that was there for an earlier build would still be found.
  for (const name of readdirSync(`${sanitizedRoot}native`)) {
    if (name !== 'build') rmSync(`${sanitizedRoot}native/${name}`, { recursive: true });
  }
  const keepTimes = { recursive: true, preserveTimestamps: true };
  for (const name of readdirSync(`${from}native`)) {
    if (name !== 'build')
      cpSync(`${from}native/${name}`, `${sanitizedRoot}native/${name}`, keepTimes);
  }
  const options = { cwd: sanitizedRoot, env: buildEnvironment };
  await execa('npm', ['run', 'install', '--silent'], options);
  const symbols = readFileSync(`${sanitizedRoot}native/build/Release/xen.node`, 'latin1');
  assert.match(symbols, /__asan_report_load8/);
  assert.match(symbols, /__ubsan_handle_/);
};

/** Builds a library that leaks, with a name that is attributed to the addon; resolves with its path. */
export const buildLeak = async (): Promise<string> => {
  const library = `${sanitizedRoot}libxenleak.so`;
  await execa('cc', ['-shared', '-g', '-o', library, `${from}test/native/leak.c`]);
  return library;
};

/** The environment that makes a program load the sanitizers' runtime, and write each report to a file. */
export const sanitizedEnvironment = async (): Promise<Record<string, string>> => {
  const { stdout: runtime } = await execa('g++', ['-print-file-name=libasan.so']);
  const common = `log_path=${reports}report:stack_trace_format="#%n %m %f %S"`;
  return {
    LD_PRELOAD: runtime,
    // Node itself has leaks, which would otherwise make it fail.
    ASAN_OPTIONS: `detect_leaks=1:exitcode=0:${common}`,
    UBSAN_OPTIONS: `print_stacktrace=1:${common}`,
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

/** The sanitizers' reports since the build: errors, and leaks except those of Node itself. */
export const sanitizerReports = (): string[] =>
  readdirSync(reports).flatMap((name) => {
    const report = readFileSync(reports + name, 'utf8');
    const isOfLeaks = report.includes('ERROR: LeakSanitizer: detected memory leaks');
    if (!isOfLeaks) return [report];
    return report.split('\n\n').filter((part) => part.includes(' leak of ') && isOurLeak(part));
  });

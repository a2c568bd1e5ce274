/**
 * Vitest's globalSetup. A run fails if it leaves processes behind or changes the machine; the differences are
 * printed.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Facts, observeMachine } from './machine.ts';
import { describeProcess, isMarked, markRun, processesOf, type RunMark } from './run-mark.ts';
import { slowness } from './slowness.ts';

const isOf = (kind: string) => (fact: string) => fact.startsWith(`${kind} `);
const isSetting = isOf('setting');
const isFile = isOf('file');
const isLog = isOf('log');

/**
 * The differences after a run. New and missing settings are ignored, because they come and go with links,
 * which are facts themselves. Missing files are ignored, because rigs remove the files of killed runs.
 * Missing log lines are ignored, because the kernel's log is a ring buffer.
 */
export const differences = (before: Facts, after: Facts): readonly string[] => {
  const left = [...after.keys()].filter((fact) => !before.has(fact) && !isSetting(fact));
  const gone = [...before.keys()].filter(
    (fact) => !after.has(fact) && ![isSetting, isFile, isLog].some((is) => is(fact)),
  );
  const changed = [...after].filter(([fact, value]) => {
    const was = before.get(fact);
    return was !== undefined && was !== value;
  });
  return [
    ...left.map((fact) => `left: ${fact}`),
    ...gone.map((fact) => `gone: ${fact}`),
    ...changed.map(([fact, value]) => `changed: ${fact}: ${before.get(fact)} -> ${value}`),
  ];
};

/** Milliseconds for killed processes to end, on a machine that is not slow. */
const endingMs = 5_000;

/** The processes that do not end within that time. */
const processesLeft = async (mark: RunMark): Promise<readonly number[]> => {
  if (processesOf(mark).length === 0) return [];
  const deadline = performance.now() + endingMs * (await slowness());
  while (processesOf(mark).length > 0 && performance.now() < deadline) await delay(50);
  return processesOf(mark);
};

/**
 * Prints the leftovers and sets the exit status. An error from a teardown would only be printed by Vitest.
 */
const fail = (leftovers: readonly string[]): void => {
  console.error(
    `\nThis run has left or changed:\n${leftovers.map((leftover) => `  ${leftover}\n`).join('')}`,
  );
  process.exitCode = 1;
};

const variable = 'VIFWATCH_TEST_RUN';

/** Each of Vitest's projects calls this function; only the first call has an effect. */
export default async (): Promise<(() => Promise<void>) | undefined> => {
  if (process.env[variable] === `${process.pid}`) return undefined;
  process.env[variable] = `${process.pid}`;
  const mark = await markRun();
  const isOurs = (pid: number): boolean => isMarked(pid, mark);
  const before = await observeMachine(isOurs);
  return async () => {
    const processes = await processesLeft(mark);
    const after = await observeMachine(isOurs);
    const leftovers = [
      ...processes.map((pid) => `left: ${describeProcess(pid)}`),
      ...differences(before, after),
    ];
    if (leftovers.length > 0) fail(leftovers);
  };
};

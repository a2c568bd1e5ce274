/** Reads figures from what a command printed, and compares them with what is promised. */
import { readFigures } from '../support/figures.ts';

export type Judgement = { readonly figure: string; readonly isMet: boolean };

/**
 * @param output what the command printed
 * @throws Error if the output has no figure
 */
export type Judge = (output: string) => Judgement;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (text: string): Fields | undefined => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a line of text that begins with a brace
  }
};

/** The JSON object on the last line that has one: the lab, the benchmark and vitest end so. */
const lastObject = (output: string): Fields => {
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  const object = lines.map(fieldsOf).findLast((fields) => fields !== undefined);
  if (object === undefined) throw new Error('the output has no result');
  return object;
};

const numberIn = (fields: Fields, name: string): number => {
  const value = fields[name];
  if (typeof value !== 'number') throw new Error(`the result has no number "${name}"`);
  return value;
};

/** A run in which no test was executed shows nothing, and a skipped test neither. */
const areTestsFine = (report: Fields): boolean =>
  numberIn(report, 'numPassedTests') > 0 &&
  numberIn(report, 'numPassedTests') === numberIn(report, 'numTotalTests');

const testsIn = (report: Fields): string =>
  `${numberIn(report, 'numPassedTests')} of ${numberIn(report, 'numTotalTests')} tests`;

/** All tests pass, those that are expected to fail by failing. */
export const testsPass: Judge = (output) => {
  const report = lastObject(output);
  return { figure: testsIn(report), isMet: areTestsFine(report) };
};

/** All tests pass, and they say that they did at least this much of something. */
export const testsCount =
  (name: string, atLeast: number): Judge =>
  (output) => {
    const report = lastObject(output);
    const figures = readFigures(output);
    if (figures === undefined) return { figure: testsIn(report), isMet: false };
    const counted = numberIn(figures, name);
    return {
      figure: Object.entries(figures)
        .map(([what, value]) => `${what} ${value}`)
        .join(', '),
      isMet: areTestsFine(report) && counted >= atLeast,
    };
  };

/** Of each version: its name, and the summary that vitest prints for people. */
const versionsIn = (output: string): (readonly [version: string, tests: string])[] =>
  output
    .split(/^Node\.js v/m)
    .slice(1)
    .map((section) => [
      /^[\d.]+/.exec(section)?.[0] ?? '',
      /^ *Tests +(.*\S) *$/m.exec(section)?.[1] ?? 'no tests',
    ]);

/** All tests pass on each of these versions of Node.js; see test/setup/node-versions.sh. */
export const testsPassOn =
  (majors: readonly string[]): Judge =>
  (output) => {
    const versions = versionsIn(output);
    if (versions.length === 0) throw new Error('the output names no version of Node.js');
    const isMissing = (major: string): boolean =>
      !versions.some(([version]) => version.startsWith(`${major}.`));
    return {
      figure: versions.map(([version, tests]) => `${version}: ${tests}`).join(', '),
      isMet:
        !majors.some(isMissing) &&
        versions.every(([, tests]) => /^([1-9]\d*) passed \(\1\)$/.test(tests)),
    };
  };

/** All scenarios of the true rig pass; they compare the times that they measure with bounds of their own. */
export const scenariosPass: Judge = (output) => {
  const { ok, facts } = lastObject(output) as { ok?: unknown; facts?: Fields };
  if (facts === undefined) throw new Error('the result has no facts');
  return {
    figure: Object.entries(facts)
      .map(([name, value]) => `${name} ${value}`)
      .join(', '),
    isMet: ok === true && numberIn(facts, 'scenarios') > 0,
  };
};

const metricText = ([name, metric]: readonly [string, Fields]): string =>
  `${name} ${numberIn(metric, 'value')} ${metric['unit']} (ratio ${numberIn(metric, 'ratio')})`;

/** The benchmark judges its metrics itself, by its exit status. */
export const metricsMeetTargets: Judge = (output) => {
  const metrics = Object.entries(lastObject(output)) as (readonly [string, Fields])[];
  return {
    figure: metrics.map(metricText).join(', '),
    isMet: metrics.length > 0,
  };
};

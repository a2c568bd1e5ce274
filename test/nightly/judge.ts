/** Reads figures from a command's output, and compares them with the promises. */
import { readFigures } from '../support/figures.ts';

export type Judgement = { readonly figure: string; readonly isMet: boolean };

/**
 * Judges a command.
 * @param output the command's output
 * @throws Error if the output has no figure
 */
export type Judge = (output: string) => Judgement;

type Fields = Readonly<Record<string, unknown>>;

const fieldsOf = (text: string): Fields | undefined => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // the line is text that begins with a brace
  }
};

/**
 * The JSON object on the last line that has one. The lab, the benchmark and Vitest print such a line at their
 * end.
 */
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

/**
 * Whether all tests passed. A run without tests and a skipped test prove nothing, so they do not count as
 * passed.
 */
const areTestsFine = (report: Fields): boolean =>
  numberIn(report, 'numPassedTests') > 0 &&
  numberIn(report, 'numPassedTests') === numberIn(report, 'numTotalTests');

const testsIn = (report: Fields): string =>
  `${numberIn(report, 'numPassedTests')} of ${numberIn(report, 'numTotalTests')} tests`;

/** Demands that all tests pass; a test that is expected to fail passes if it fails. */
export const testsPass: Judge = (output) => {
  const report = lastObject(output);
  return { figure: testsIn(report), isMet: areTestsFine(report) };
};

/** Demands that all tests pass and that they print a figure `name` of at least `atLeast`. */
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

/** Each version with the summary line that Vitest prints for people. */
const versionsIn = (output: string): (readonly [version: string, tests: string])[] =>
  output
    .split(/^Node\.js v/m)
    .slice(1)
    .map((section) => [
      /^[\d.]+/.exec(section)?.[0] ?? '',
      /^ *Tests +(.*\S) *$/m.exec(section)?.[1] ?? 'no tests',
    ]);

/**
 * Demands that all tests pass on each of these major versions of Node.js; see test/setup/node-versions.sh.
 */
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

/** Demands that all scenarios of the true rig pass; they check the bounds of their own times. */
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

/**
 * Demands only that there are metrics: the benchmark's own exit status tells whether they meet their targets.
 */
export const metricsMeetTargets: Judge = (output) => {
  const metrics = Object.entries(lastObject(output)) as (readonly [string, Fields])[];
  return {
    figure: metrics.map(metricText).join(', '),
    isMet: metrics.length > 0,
  };
};

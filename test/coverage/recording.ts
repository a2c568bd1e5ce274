/** Which code of the bundle runs on the rigs: Node writes it down, for some processes of each test file. */

/** Set by `npm test`: where the records go. */
const directory = process.env['VIFWATCH_COVERAGE'];

const recorded = new Set<string>();

/**
 * The environment that makes a process record, for the first process of each kind in a test file: a record costs a
 * tenth of a second and two megabytes.
 * @param kind a daemon, or a command
 */
export const recordingFirst = (kind: string): Record<string, string> => {
  if (directory === undefined || recorded.has(kind)) return {};
  recorded.add(kind);
  return { NODE_V8_COVERAGE: directory };
};

/** The word in a process's environment by which one that records is known; undefined if none does. */
export const recordingMark = directory === undefined ? undefined : `NODE_V8_COVERAGE=${directory}`;

/** Coverage of the bundle on the rigs: Node records it for some processes of each test file. */

/** The directory for the records, which `npm test` sets. */
const directory = process.env['VIFWATCH_COVERAGE'];

const recorded = new Set<string>();

/**
 * The environment that makes a process record its coverage. Only the first process of each kind in a test
 * file records, because a record costs a tenth of a second and two megabytes.
 * @param kind the daemon or a command
 */
export const recordingFirst = (kind: string): Record<string, string> => {
  if (directory === undefined || recorded.has(kind)) return {};
  recorded.add(kind);
  return { NODE_V8_COVERAGE: directory };
};

/** The entry in the environment of recording processes; undefined if no process records. */
export const recordingMark = directory === undefined ? undefined : `NODE_V8_COVERAGE=${directory}`;

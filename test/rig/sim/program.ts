/** Which vifwatch a rig runs. */

/** The main.js of this tree's bundle, which runs unless a test names that of another release. */
export const ownMain = new URL('../../../dist/main.js', import.meta.url).pathname;

/** As `RunOptions` have it: only this tree's code is recorded for the coverage. */
export const recordingOf = (main: string, kind: string): { readonly recording?: string } =>
  main === ownMain ? { recording: kind } : {};

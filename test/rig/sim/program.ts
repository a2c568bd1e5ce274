/** The release of vifwatch that a rig runs. */

/** The main.js of this tree's bundle, which runs unless a test names another release's main.js. */
export const ownMain = new URL('../../../dist/main.js', import.meta.url).pathname;

/** The field `recording` of `RunOptions`: only this tree's code is recorded for the coverage. */
export const recordingOf = (main: string, kind: string): { readonly recording?: string } =>
  main === ownMain ? { recording: kind } : {};

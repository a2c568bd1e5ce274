/** Which files of rules/ the configuration calls for. */

import { baseFile, mssClampFile, translationFile } from '../../package.ts';
import type { UplinkOptions } from '../state/host-elements.ts';

/** In the order in which they are loaded. */
export const baseFilesOf = (options: UplinkOptions): readonly string[] => [
  baseFile,
  ...(options.masquerade || options.forwards.length > 0 ? [translationFile] : []),
  ...(options.mssClamp ? [mssClampFile] : []),
];

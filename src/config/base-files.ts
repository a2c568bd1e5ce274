/** Which files of rules/ the configuration calls for. */
import type { UplinkOptions } from '../core/host-elements.ts';
import { baseFile, mssClampFile, translationFile } from '../package.ts';

/** In the order in which they are loaded. */
export const baseFilesOf = (options: UplinkOptions): readonly string[] => [
  baseFile,
  ...(options.masquerade || options.forwards.length > 0 ? [translationFile] : []),
  ...(options.mssClamp ? [mssClampFile] : []),
];

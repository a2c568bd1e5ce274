/** The files of rules/ that the configuration requires. */

import { mssClampFile, staticRulesetFile, translationFile } from '../../package.ts';
import type { UplinkOptions } from '../state/host-elements.ts';

/** In load order. */
export const staticRulesetFilesOf = (options: UplinkOptions): readonly string[] => [
  staticRulesetFile,
  ...(options.masquerade || options.forwards.length > 0 ? [translationFile] : []),
  ...(options.mssClamp ? [mssClampFile] : []),
];

/** Which files of rules/ the configuration calls for. */

import { mssClampFile, staticRulesetFile, translationFile } from '../../package.ts';
import type { UplinkOptions } from '../state/host-elements.ts';

/** In the order in which they are loaded. */
export const staticRulesetFilesOf = (options: UplinkOptions): readonly string[] => [
  staticRulesetFile,
  ...(options.masquerade || options.forwards.length > 0 ? [translationFile] : []),
  ...(options.mssClamp ? [mssClampFile] : []),
];

/** Which files of rules/ the configuration calls for. */
import type { UplinkOptions } from '../core/host-elements.ts';
import { baseFile, translationFile } from '../package.ts';

/** In the order in which they are loaded. */
export const baseFilesOf = ({ masquerade, forwards }: UplinkOptions): readonly string[] =>
  masquerade || forwards.length > 0 ? [baseFile, translationFile] : [baseFile];

/** The options that stand before or after any command. */
import { directory, file, hiddenFlag, type Options, preset, type Values } from './parameter.ts';

export const globalOptions = {
  config: preset(file, '/etc/vifwatch/vifwatch.toml', 'configuration file'),
  runtime: preset(directory, '/run/vifwatch', 'directory of the control socket'),
  debug: hiddenFlag('log more'),
} as const satisfies Options;

export type GlobalName = keyof typeof globalOptions;

export type GlobalValues = Values<typeof globalOptions>;

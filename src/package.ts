/** The paths of the package's own files. They are the same from src/ and from the bundle in dist/. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** The static part of the ruleset. */
export const staticRulesetFile = join(packageRoot, 'rules/vifwatch.nft');

/** The rules that are also loaded if net-vm translates addresses. */
export const translationFile = join(packageRoot, 'rules/translation.nft');

/** The rules that are also loaded if net-vm clamps the MSS. */
export const mssClampFile = join(packageRoot, 'rules/mss-clamp.nft');

/** The directory of the profiles. */
export const profileDirectory = join(packageRoot, 'rules');

/** The rules of panic mode, which drop all traffic of the VMs. */
export const panicFile = join(packageRoot, 'rules/panic.nft');

/** The directory of the scripts that run in dom0. */
export const dom0Directory = join(packageRoot, 'dom0');

/** The native addon, where node-gyp puts it. */
export const addonFile = join(packageRoot, 'native/build/Release/xen.node');

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};

export const version = manifest.version;

/** Returns the oldest version of Node that the package supports, as digits and dots. */
export const oldestNode = (): string => manifest.engines.node.replace('>=', '');

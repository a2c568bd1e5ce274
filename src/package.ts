/** Where the package's own files are: the same from src/ and from the bundle in dist/. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** The static part of the firewall. */
export const staticRulesetFile = join(packageRoot, 'rules/vifwatch.nft');

/** What is loaded besides where addresses are translated. */
export const translationFile = join(packageRoot, 'rules/translation.nft');

/** What is loaded besides where the MSS is clamped. */
export const mssClampFile = join(packageRoot, 'rules/mss-clamp.nft');

/** The profiles. */
export const profileDirectory = join(packageRoot, 'rules');
/** What closes everything. */
export const panicFile = join(packageRoot, 'rules/panic.nft');

/** What runs in dom0. */
export const dom0Directory = join(packageRoot, 'dom0');

/** The native addon, as node-gyp leaves it. */
export const addonFile = join(packageRoot, 'native/build/Release/xen.node');

const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  version: string;
  engines: { node: string };
};

export const version = manifest.version;

/** The version of Node that is needed at least. */
export const oldestNode = (): string => manifest.engines.node.replace('>=', '');

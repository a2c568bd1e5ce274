#!/bin/sh
# Bundles src/ into dist/, so that no JavaScript package is needed at run time.
set -eu
cd "$(dirname "$0")/../.."
rm -rf dist
# The alias is needed because rxjs lists its CommonJS build first under "node", which prevents tree-shaking.
# The banner is needed because commander and others use require() for Node's own modules.
node_modules/.bin/esbuild src/main.ts --outdir=dist --bundle --splitting --platform=node --target=node20 \
	--format=esm --minify-syntax --minify-whitespace --sourcemap=linked --legal-comments=linked --log-level=warning \
	--alias:rxjs=./node_modules/rxjs/dist/esm/index.js \
	--banner:js="#!/usr/bin/env node
import{createRequire as __c}from'node:module';const require=__c(import.meta.url);"
chmod 755 dist/main.js

#!/bin/sh
# Bundles src/ into dist/, which then needs no JavaScript package at run time.
set -eu
cd "$(dirname "$0")/../.."
rm -rf dist
# rxjs lists its CommonJS build first under "node", which would defeat tree-shaking: hence the alias.
# commander and others still use require() for Node's own modules: hence the banner.
node_modules/.bin/esbuild src/main.ts --outdir=dist --bundle --splitting --platform=node --target=node20 \
	--format=esm --minify-syntax --minify-whitespace --sourcemap=linked --legal-comments=linked --log-level=warning \
	--alias:rxjs=./node_modules/rxjs/dist/esm/index.js \
	--banner:js="#!/usr/bin/env node
import{createRequire as __c}from'node:module';const require=__c(import.meta.url);"
chmod 755 dist/main.js

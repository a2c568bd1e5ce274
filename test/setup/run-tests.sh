#!/bin/sh
# Runs all tests: first those without a rig, with the coverage of src, then the others, with that of the bundle.
set -eu
cd "$(dirname "$0")/../.."

run() {
	node_modules/.bin/vitest run --config test/vitest.config.ts "$@"
}

rm -rf .cache/coverage
run --project unit --coverage
VIFWATCH_COVERAGE="$PWD/.cache/coverage/bundle" run --project rigs
run --project timed
node --import tsx test/coverage/report.ts

#!/bin/sh
# Runs all tests: first the tests without a rig, with the coverage of src, then the others, with the bundle's
# coverage.
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

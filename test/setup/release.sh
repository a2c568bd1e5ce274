#!/bin/sh
# Unpacks an earlier release as its users have it, and builds its native addon: release.sh VERSION.
# The result is kept in .cache/releases/VERSION. The lock lets a second caller wait instead of building it, too.
set -eu
cd "$(dirname "$0")/../.."
archive=$PWD/test/upgrade/releases/vifwatch-$1.tgz
modules=$PWD/node_modules
mkdir -p .cache/releases
cd .cache/releases

exec 9>lock
flock 9
[ ! -d "$1" ] || exit 0

rm -rf unfinished
mkdir unfinished
tar -xzf "$archive" --strip-components=1 --no-same-owner -C unfinished
# For node-addon-api, of which the addon needs the headers.
ln -s "$modules" unfinished/node_modules
# node-gyp would fetch Node's headers: use those that came with Node, if they did.
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ ! -e "$prefix/include/node/node_api.h" ] || export npm_config_nodedir="$prefix"
npm --prefix unfinished run --silent install >unfinished.log 2>&1 9>&- || {
	tail -20 unfinished.log >&2
	exit 1
}
mv unfinished "$1"

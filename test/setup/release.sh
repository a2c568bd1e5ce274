#!/bin/sh
# release.sh VERSION: unpacks the package of an earlier release into .cache/releases/VERSION and builds its
# native addon. The lock makes a second caller wait until the first one has built it.
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
# The addon needs the headers of node-addon-api.
ln -s "$modules" unfinished/node_modules
# If Node's headers are installed, node-gyp uses them instead of a download.
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ ! -e "$prefix/include/node/node_api.h" ] || export npm_config_nodedir="$prefix"
npm --prefix unfinished run --silent install >unfinished.log 2>&1 9>&- || {
	tail -20 unfinished.log >&2
	exit 1
}
mv unfinished "$1"

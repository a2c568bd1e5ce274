#!/bin/sh
# prepare.sh [fast] [lab]: installs and builds everything that the fast rig and Xen in QEMU need and the
# machine lacks. Each step first checks whether it is needed, so a second run takes a second.
set -eu
cd "$(dirname "$0")/../.."

say() {
	echo "set-up: $*" >&2
}

packages_of() {
	case $1 in
	fast)
		echo nftables conntrack iproute2 net-tools busybox-static dash shellcheck mandoc zsh fish \
			libxen-dev xen-utils-4.17 xen-utils-common xenstore-utils
		;;
	lab) echo qemu-system-x86 qemu-utils mmdebstrap cpio kmod xz-utils e2fsprogs ;;
	*)
		say "unknown rig \"$1\"; known rigs: fast, lab"
		exit 64
		;;
	esac
}

is_installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=
for rig in "$@"; do
	for package in $(packages_of "$rig"); do
		is_installed "$package" || missing="$missing $package"
	done
done
if [ -n "$missing" ]; then
	say "installing Debian packages:$missing"
	log=$(mktemp)
	{
		# Services such as xenstored must not start on the machine itself.
		printf '#!/bin/sh\nexit 101\n' >"$log.policy" && chmod +x "$log.policy"
		[ -e /usr/sbin/policy-rc.d ] || { cp "$log.policy" /usr/sbin/policy-rc.d && ours=1; }
		apt-get update -qq &&
			DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends $missing
		status=$?
		[ -z "${ours:-}" ] || rm -f /usr/sbin/policy-rc.d
		[ "$status" = 0 ]
	} >"$log" 2>&1 </dev/null || {
		tail -20 "$log" >&2
		say "apt-get could not install$missing (its messages are above): run this as root on Debian 12"
		exit 1
	}
	rm -f "$log" "$log.policy"
fi

if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
	say "npm: installing the JavaScript tools"
	# "npm ci" would refuse the lock file, because it lacks optional packages of other platforms.
	npm install --no-save --ignore-scripts --loglevel=error --no-audit --no-fund >&2
	touch node_modules/.package-lock.json
fi

# If Node's headers are installed, node-gyp uses them instead of a download.
prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
[ ! -e "$prefix/include/node/node_api.h" ] || export npm_config_nodedir="$prefix"
addon=native/build/Release/xen.node
if ! [ -e "$addon" ] || [ -n "$(find native -path native/build -prune -o -newer "$addon" -type f -print)" ]; then
	say "node-gyp: building the native addon"
	# A warning fails this build, but never a user's installation.
	CXXFLAGS="-Werror ${CXXFLAGS:-}" npm run --silent install >/dev/null
fi

make --silent -C test/rig/sim/simxen
sh test/setup/bundle.sh

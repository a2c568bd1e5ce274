# Functions of both services. A start succeeds once the daemon's socket exists. supervise-daemon reports
# success as soon as it has forked. So start_post waits for the socket and reports the result.

# Runs before the start: the socket of a killed daemon would look like readiness.
forget_readiness() {
	rm -f "$socket"
	logged=$(wc -c <"$output_log")
}

start_quietly() {
	(export EINFO_QUIET=yes && default_start)
}

report_readiness() {
	ebegin "Starting $RC_SVCNAME"
	if await_ready; then
		eend 0
		return
	fi
	eend 1 "$failure"
	eerror "Last line of $output_log: $(tail -c "+$((logged + 1))" "$output_log" | tail -n 1)"
	(export EINFO_QUIET=yes && default_stop)
	return 1
}

# Waits for the socket. Fails if the daemon dies, or after ready_within seconds.
await_ready() {
	local now deadline
	read -r now _ </proc/uptime
	deadline=$((${now%.*} + ready_within))
	until [ -S "$socket" ]; do
		if died; then
			failure="$RC_SVCNAME died while it was starting"
			return 1
		fi
		read -r now _ </proc/uptime
		if [ "${now%.*}" -ge "$deadline" ]; then
			failure="$RC_SVCNAME was not ready within $ready_within s"
			return 1
		fi
		sleep 0.2
	done
}

# The supervisor waits for respawn_delay before it starts the daemon again, so a dead daemon is noticed here.
died() {
	[ -n "${daemon:-}" ] || daemon=$(service_get_value child_pid)
	[ -n "$daemon" ] && ! [ -d "/proc/$daemon" ]
}

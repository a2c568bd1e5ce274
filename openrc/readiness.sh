# What both services share: a start counts as done when the daemon's socket is there.
# supervise-daemon is content as soon as it has forked, so start_post is the one that reports.

# Before start: what is left over of a daemon that was killed would look like readiness.
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

# Waits for the socket, as long as the daemon lives.
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

# The supervisor waits for respawn_delay before it starts another one.
died() {
	[ -n "${daemon:-}" ] || daemon=$(service_get_value child_pid)
	[ -n "$daemon" ] && ! [ -d "/proc/$daemon" ]
}

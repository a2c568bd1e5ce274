# Makes findings from the facts. It runs after facts.awk and networks.awk, and before findings.awk, which
# prints them.

$1 == "config" && /"cmdline":/ {
	count = split($0, list, /[ "]+/)
	for (k = 1; k <= count; k++)
		if (sub(/^ipc_policy=/, "", list[k]) && index(hashes[$2] " ", " " list[k] " ") == 0)
			hashes[$2] = hashes[$2] " " list[k]
}

$1 == "route" { routes[++route_count] = substr($0, 7) }
$1 == "neighbour" { neighbours[++neighbour_count] = substr($0, 11) }

$1 == "forwarding" && $3 != 0 {
	find("DOM0_FORWARDING", $2 " is " $3, "set it to 0, also in sysctl.conf: only net-vm forwards packets")
}

# Xen's own programs and the backends for disks and files may access other domains' memory.
$1 == "device" && $4 !~ /^(xl|o?xenstored|xenconsoled|(xen-)?qemu-.*|libxl-save-helper|xen-9pfsd|tapdisk)$/ {
	find("DOM0_VCHAN", "process " $2 " (" $4 ") has " $3 " open", "stop it: dom0 must not use vchans")
}

$1 == "process" && is_ipc() {
	find("DOM0_IPC_PROCESS", "process " substr($0, 9, 100), "stop it and the service that starts it: calls go directly between VMs")
}

function is_ipc(    k, base, ours) {
	for (k = 3; k <= NF; k++) {
		base = $k
		sub(/^.*\//, "", base)
		# The first word is the program, or an interpreter with the program as the second word.
		if (k <= 4 && base ~ /^(vchan-socket-proxy|qrexec-.*|qubes.*)$/) return 1
		if (ours && (base == "agent" || base == "call")) return 1
		if (base == "vifwatch" || $k ~ /\/vifwatch\/dist\/main\.js$/) ours = 1
	}
	return 0
}

function who(domid) {
	return domid in name_of ? name_of[domid] " (domain " domid ")" : "domain " domid ", which does not run"
}

# Reports at most five findings about nodes that one guest wrote, so that it cannot bury other findings.
# Domain 0 is not a guest and has no limit.
function find_by_guest(owner, code, what, remedy) {
	if (owner == 0 || ++findings_of[owner] <= 5) find(code, what, remedy)
}

# Whether the permissions are equal. The first one is for the owner and for all other domains; the order of
# the rest does not matter.
function same(permitted, wanted,    list, count, k) {
	count = split(permitted, list, " ")
	if (count != split(wanted, wanted_list, " ") || list[1] != wanted_list[1]) return 0
	for (k = 2; k <= count; k++) if (index(wanted " ", " " list[k] " ") == 0) return 0
	return 1
}

# Whether the domain is a device model that libxl made for an HVM guest, or xenstored's domain.
function is_of_xen(domid,    target) {
	if (value_of["/tool/xenstored/domid"] == domid) return 1
	target = value_of["/local/domain/" domid "/target"]
	return target in name_of && name_of[target] in hash_of && name_of[domid] == name_of[target] "-dm"
}

function check_vms(    k, domid, hash) {
	for (k = 1; k <= vm_count; k++) {
		# In awk, reading a missing array element would create it.
		domid = vms[k] in domid_of ? domid_of[vms[k]] : ""
		if (domid == "") find("VM_MISSING", vms[k] " does not run", "./autostart")
		else if (state_of[domid] ~ /[pscd]/)
			find("VM_MISSING", who(domid) " does not run: its state is " state_of[domid], "./autostart, which names the next step")
		hash = hash_of[vms[k]] == "-" ? "" : " " hash_of[vms[k]]
		if (domid != "" && hashes[domid] != hash)
			find("POLICY_DIFFERS", who(domid) " has the policy" (hashes[domid] == "" ? " none" : hashes[domid]) \
				", but the mesh has" (hash == "" ? " none" : hash), "./recreate " vms[k] " with the image that has its policy")
	}
	for (domid in name_of) {
		if (is_of_xen(domid)) continue
		if (!(name_of[domid] in hash_of) && state_of[domid] ~ /d/)
			find("VM_DYING", "domain " domid " has ended, but another domain still maps its memory", \
				"destroy or recreate that domain; to find it: xl debug-keys g; xl dmesg")
		else if (!(name_of[domid] in hash_of))
			find("VM_FOREIGN", who(domid) " is not in the mesh", "add it to mesh.toml, or xl destroy " domid)
		else if (domid_of[name_of[domid]] != domid)
			find("VM_AMBIGUOUS", who(domid) " has the same name as domain " domid_of[name_of[domid]], "xl destroy the wrong domain")
	}
	if (net in domid_of && value_of["/local/domain/" domid_of[net] "/data/vifwatch/ready"] != "ready")
		find("NET_VM_NOT_READY", "the vifwatch of " who(domid_of[net]) " does not serve vifs", "rc-service vifwatch status in " net)
}

# Checks nodes that libxl and dom0 wrote; it ignores the guest's own directory.
function check_vif(path,    part) {
	split(path, part, "/")
	if (path ~ /^\/libxl\/[0-9]+\/device\/vif\/[0-9]+\/backend$/) {
		split(value_of[path], place, "/")
		backend_is(part[3], part[6], place[4])
	} else if (path ~ /^\/local\/domain\/[0-9]+\/backend\/vif\/./) {
		if (part[4] == 0) find("VIF_BACKEND_DOM0", "a vif of " who(part[7]) " has its backend in dom0", "set backend=" net " in its vif, and create the VM again")
		else if (part[8] != "") backend_is(part[7], part[8], part[4])
	}
}

function backend_is(domid, devid, backend) {
	if (!(net in domid_of) || backend != domid_of[net])
		find("VIF_BACKEND_FOREIGN", "vif " devid " of " who(domid) " leads to domain " backend ", not to the driver domain", \
			"./autostart, which starts " net "; then ./recreate the VM")
}

# Whether the text is a VM's address or network, or part of it. With on_link, a network that contains one also
# counts.
function is_vm_address(text, on_link,    bits, k) {
	bits = bits_of(text)
	for (k = 1; k <= address_count; k++)
		if (bits != "" && (holds(bits_of(addresses[k]), bits) || on_link && length(bits) > 1 && holds(bits, bits_of(addresses[k])))) return 1
	return 0
}

function check_network(    k, count, word, at) {
	for (k = 1; k <= route_count; k++) {
		count = split(routes[k], word, " ")
		# Routes of these types forward nothing.
		if (word[1] ~ /^(blackhole|unreachable|prohibit|throw)$/) continue
		at = word[1] ~ /^(unicast|local|broadcast|multicast|anycast|nat)$/ ? 2 : 1
		if (is_vm_address(word[at], !index(routes[k], " via ")) || routes[k] ~ / dev vif/)
			find("DOM0_ROUTE", "route " routes[k], "ip route del it, and stop the program that adds it: only " net " routes for VMs")
	}
	for (k = 1; k <= neighbour_count; k++) {
		split(neighbours[k], word, " ")
		if (neighbours[k] ~ / dev vif/ || (neighbours[k] ~ / (lladdr|proxy)/ && is_vm_address(word[1], 0)))
			find("DOM0_NEIGHBOUR", "neighbour " neighbours[k], "ip neigh del it; no link of dom0 leads to a VM")
	}
}

# Finds a vchan offer: a ring-ref and an event-channel node in the same directory, outside of the device
# directories.
function check_offer(path,    place, part) {
	if (path !~ /\/ring-ref$/ || path ~ /^\/local\/domain\/[0-9]+\/(device|backend|console)\//) return
	place = substr(path, 1, length(path) - 9)
	if (!((place "/event-channel") in permissions)) return
	split(path, part, "/")
	if (place ~ /^\/local\/domain\/0\// || permissions[path] ~ /[a-z]0( |$)/)
		find_by_guest(part[4], "DOM0_VCHAN", "a vchan offer from or to dom0: " place, "stop the program that made it, and xenstore-rm " place)
}

# The remedy for a wrong node: ./autostart repairs only domains of the mesh.
function node_remedy(owner, path) {
	return name_of[owner] in hash_of ? "./autostart" : "xenstore-rm " path
}

# Checks the nodes through which two domains open a vchan: the server's offer, or the client's request
# ("knock").
function check_place(path,    part, rest, owner, reader, by_dom0) {
	split(path, part, "/")
	owner = part[4]
	if (path ~ /^\/local\/domain\/[0-9]+\/ipc(\/direct)?$/ && owner in name_of && permissions[path] !~ /^n0( r[0-9]+)*$/)
		find("RENDEZVOUS_PERMISSIONS", path " has the permissions " permissions[path] ", not n0 r" owner, \
			"xenstore-chmod " path " n0 r" owner)
	by_dom0 = path ~ /^\/local\/domain\/[0-9]+\/ipc\/direct\/./
	if (!by_dom0 && path !~ /^\/local\/domain\/[0-9]+\/data\/vifwatch\/(direct|knock)\/./) return
	reader = by_dom0 ? part[7] : part[8]
	rest = by_dom0 ? part[8] : part[9]
	if (by_dom0 && !(owner in name_of)) {
		if (rest == "") find("RENDEZVOUS_STALE", path " is in " who(owner), "xenstore-rm /local/domain/" owner)
		return
	}
	# The directory that an agent makes for a peer may be closed to all other domains.
	if (!same(permissions[path], "n" owner " r" reader) && !(!by_dom0 && rest == "" && permissions[path] == "n" owner))
		find_by_guest(rest == "" && by_dom0 ? 0 : owner, "RENDEZVOUS_PERMISSIONS", \
			path " has the permissions " permissions[path] ", not n" owner " r" reader, \
			by_dom0 && rest == "" ? node_remedy(owner, path) : "find the program that changed them in " who(owner) ", and restart its agent")
	if (!by_dom0 || rest != "") return
	if (!(reader in name_of)) find("RENDEZVOUS_STALE", path " is for " who(reader), node_remedy(owner, path))
	else if (!((name_of[owner] " " name_of[reader]) in is_pair))
		find("RENDEZVOUS_FOREIGN", path " is for " who(owner) " and " who(reader) ", which are not a pair of the mesh", node_remedy(owner, path))
}

function check_pairs(    k, pair, path) {
	for (k = 1; k <= pair_count; k++) {
		split(pairs[k], pair, " ")
		if (!(pair[1] in domid_of) || !(pair[2] in domid_of)) continue
		path = "/local/domain/" domid_of[pair[1]] "/ipc/direct/" domid_of[pair[2]]
		if (!(path in permissions))
			find("RENDEZVOUS_MISSING", path " is missing, for " who(domid_of[pair[1]]) " and " who(domid_of[pair[2]]), "./autostart")
	}
}

function check_map(    k, path, name, names_of, wanted) {
	if (permissions["/ipc"] != "n0" && "/ipc/domain-map" in permissions)
		find("MAP_PERMISSIONS", "/ipc has the permissions " permissions["/ipc"] ", not n0", "./autostart")
	for (k = 1; k <= node_count; k++) {
		path = nodes[k]
		wanted = "n0" readable_by(listers)
		if (path == "/ipc/domain-map" && !same(permissions[path], wanted))
			find("MAP_PERMISSIONS", path " has the permissions " permissions[path] ", not " wanted, "./autostart")
		if (path !~ /^\/ipc\/domain-map\/[^\/]+$/) continue
		name = substr(path, 17)
		if (!(name in domid_of) || value_of[path] != domid_of[name])
			find("MAP_STALE", path " is " value_of[path] ", but " (name in domid_of ? name " is domain " domid_of[name] : name " does not run"), \
				name in hash_of ? "./autostart" : "xenstore-rm " path)
		if (value_of[path] in names_of)
			find("MAP_AMBIGUOUS", "domain " value_of[path] " has the names " names_of[value_of[path]] " and " name, "xenstore-rm the wrong name")
		names_of[value_of[path]] = name
		wanted = "n0" readable_by(readers_of[name])
		if (name in hash_of ? !same(permissions[path], wanted) : permissions[path] !~ /^n0( r[0-9]+)*$/)
			find("MAP_PERMISSIONS", path " has the permissions " permissions[path] ", not " wanted, name in hash_of ? "./autostart" : "xenstore-rm " path)
	}
	for (k = 1; k <= vm_count; k++)
		if (vms[k] in domid_of && !(entry_of(vms[k]) in permissions))
			find("MAP_MISSING", who(domid_of[vms[k]]) " has no name in /ipc/domain-map", "./autostart")
}

END {
	check_vms()
	check_map()
	check_pairs()
	for (node = 1; node <= node_count; node++) {
		check_vif(nodes[node])
		check_place(nodes[node])
		check_offer(nodes[node])
	}
	for (owner in findings_of) if (findings_of[owner] > 5)
		find("FINDINGS_MANY", findings_of[owner] - 5 " more nodes that " who(owner) " wrote are wrong", "repair the first five and audit again")
	check_network()
}

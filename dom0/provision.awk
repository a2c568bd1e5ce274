# Makes the steps that correct xenstore from the facts; it runs after facts.awk. It prints no step if nothing
# differs. Permissions are set before values, so that no domain can read a forbidden value between two steps.

# A new node inherits its parent's permissions, so it is created empty and gets its permissions at once.
function make(path, permitted) {
	print "write", path
	print "permit", path, permitted
}

function name_domain(name,    path, permitted) {
	path = entry_of(name)
	permitted = "n0" readable_by(readers_of[name])
	if (!(path in permissions) || permissions[path] != permitted) {
		if (value_of[path] != domid_of[name]) make(path, permitted)
		else print "permit", path, permitted
	}
	if (value_of[path] != domid_of[name]) print "write", path, domid_of[name]
}

END {
	map = "/ipc/domain-map"
	permitted = "n0" readable_by(listers)
	if (permissions[map] != permitted) print "permit", map, permitted

	for (k = 1; k <= pair_count; k++) {
		split(pairs[k], pair, " ")
		if (!(pair[1] in domid_of) || !(pair[2] in domid_of)) continue
		server = domid_of[pair[1]]
		client = domid_of[pair[2]]
		place = "/local/domain/" server "/ipc/direct/" client
		places[++place_count] = place
		wanted[place] = "n" server " r" client
	}

	# A directory with wrong permissions is removed and created again, since other domains may have written into
	# it.
	for (k = 1; k <= node_count; k++) {
		path = nodes[k]
		if (path !~ /^\/local\/domain\/[0-9]+\/ipc\/direct\/[^\/]+$/) continue
		split(path, part, "/")
		if (!(name_of[part[4]] in hash_of) || permissions[path] == wanted[path]) continue
		print "remove", path
		delete permissions[path]
	}
	for (k = 1; k <= vm_count; k++)
		if (!(vms[k] in domid_of) && entry_of(vms[k]) in permissions) print "remove", entry_of(vms[k])

	for (k = 1; k <= vm_count; k++) if (vms[k] in domid_of) name_domain(vms[k])
	for (k = 1; k <= place_count; k++)
		if (!(places[k] in permissions)) make(places[k], wanted[places[k]])
}

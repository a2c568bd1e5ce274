# From the facts to the steps that make xenstore what it should be; none if it is. After facts.awk.
# Whoever may not read a value never can, not even between two steps: permissions come before values.

# The permissions that come with a new node are its parent's.
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

	# What others could write into is made anew.
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

# Reads the facts for the plan and the audit, one per line: the table, "domain DOMID STATE NAME" for each
# domain except dom0, and the lines of "xenstore-ls -fp".

$1 == "net" { net = $2 }
$1 == "vm" { vms[++vm_count] = $2; hash_of[$2] = $4 }
$1 == "pair" { pairs[++pair_count] = $2 " " $3; is_pair[$2 " " $3] = 1 }
$1 == "reader" { readers_of[$2] = readers_of[$2] " " $3 }
$1 == "lister" { listers = listers " " $2 }
$1 == "address" { addresses[++address_count] = $3; holder_of[$3] = $2 }

$1 == "domain" && NF >= 4 {
	name = $0
	sub(/^domain [0-9]+ [^ ]+ /, "", name)
	name_of[$2] = name
	if (!(name in domid_of)) domid_of[name] = $2
	state_of[$2] = $3
}

# A guest cannot forge these lines: paths have no spaces, and xenstore-ls escapes line ends. A line ends with
# the permissions, or with a quote if the node vanished while it was read.
/^\// && match($0, /\([nrwb][0-9]+(,[nrwb][0-9]+)*\)$/) {
	nodes[++node_count] = $1
	permissions[$1] = substr($0, RSTART + 1, RLENGTH - 2)
	gsub(/,/, " ", permissions[$1])
	# Keep only values that are needed, since guests can write long ones.
	if ($1 !~ /^\/(ipc|libxl|tool)\/|^\/local\/domain\/[0-9]+\/(data\/vifwatch\/ready|target)$/) next
	text = substr($0, 1, RSTART - 1)
	sub(/" +$/, "", text)
	value_of[$1] = substr(text, length($1) + 5)
}

# Read permissions for running VMs: " r5 r7" if the names are those of domains 5 and 7.
function readable_by(names,    list, count, k, text) {
	count = split(names, list, " ")
	for (k = 1; k <= count; k++)
		if (list[k] in domid_of && index(text " ", " r" domid_of[list[k]] " ") == 0)
			text = text " r" domid_of[list[k]]
	return text
}

function entry_of(name) {
	return "/ipc/domain-map/" name
}

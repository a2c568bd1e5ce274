# Checks that a file is a table of "vifwatch mesh compile". Prints the first error with file and line.

function wrong(line, text) {
	printf "%s:%d: %s\n", file, line, text
	failed = 1
	exit 1
}

function needs_words(count, what) {
	if (NF != count + 1) wrong(NR, "\"" $1 "\" takes " what)
}

function uses(name) {
	used[++uses_count] = name
	used_in[uses_count] = NR
}

NR == 1 {
	if ($0 != "vifwatch-mesh 1") wrong(1, "not a table of this version of vifwatch: compile the mesh again")
	next
}
$0 !~ /^[A-Za-z0-9_.\/:,*+-]+( [A-Za-z0-9_.\/:,*+-]+)*$/ { wrong(NR, "a line must be words with single spaces between them") }
$1 == "net" { needs_words(1, "the driver domain"); uses($2); next }
$1 == "lister" { needs_words(1, "a VM"); uses($2); next }
$1 == "need" || $1 == "pair" || $1 == "reader" { needs_words(2, "two VMs"); uses($2); uses($3); next }
$1 == "address" {
	needs_words(2, "a VM and an address")
	if ($3 !~ /^[0-9a-f.:]+\/[0-9]+$/) wrong(NR, "\"" $3 "\" is not an address with the length of its prefix")
	uses($2)
	next
}
$1 == "vm" {
	needs_words(3, "a name, a level and the hash of a policy")
	if ($2 !~ /^[A-Za-z0-9][A-Za-z0-9_-]*$/) wrong(NR, "\"" $2 "\" is not a valid VM name")
	if ($2 ~ /^[0-9]+$/) wrong(NR, "xl takes \"" $2 "\" for a domid")
	if ($2 in level) wrong(NR, $2 " is defined twice")
	if ($3 !~ /^[0-9]+$/ || $3 + 0 < last) wrong(NR, "a level must be a number, and not lower than the level before")
	if ($4 !~ /^([0-9a-f]+|-)$/) wrong(NR, "\"" $4 "\" is not the hash of a policy")
	level[$2] = last = $3 + 0
	next
}
{ wrong(NR, "unknown record \"" $1 "\": the table may be from a newer vifwatch") }

END {
	if (failed) exit 1
	if (last == "") wrong(NR ? NR : 1, "no VMs: compile the mesh again")
	for (k = 1; k <= uses_count; k++)
		if (!(used[k] in level)) wrong(used_in[k], "unknown VM \"" used[k] "\": the table has no \"vm\" line for it")
}

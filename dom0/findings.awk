# Collects findings and prints them as a table or as JSON. Quoted text can come from a guest, so find()
# replaces special characters and shortens it.

BEGIN { longest = 250 }

function find(code, what, remedy) {
	gsub(/[^ -~]/, "_", what)
	if (length(what) > longest) what = substr(what, 1, longest) "..."
	if ((code, what) in found) return
	found[code, what] = 1
	codes[++finding_count] = code
	texts[finding_count] = what
	remedies[finding_count] = remedy
}

function quoted(text,    k, char, result) {
	for (k = 1; k <= length(text); k++) {
		char = substr(text, k, 1)
		result = result (char == "\"" || char == "\\" ? "\\" char : char)
	}
	return "\"" result "\""
}

function print_json(    k, separator) {
	printf "{\"findings\":["
	for (k = 1; k <= finding_count; k++) {
		printf "%s{\"code\":%s,\"what\":%s,\"do\":%s}", separator, quoted(codes[k]), quoted(texts[k]), quoted(remedies[k])
		separator = ","
	}
	print "]}"
}

function print_table(    k, code_width, what_width) {
	for (k = 1; k <= finding_count; k++) {
		if (length(codes[k]) > code_width) code_width = length(codes[k])
		if (length(texts[k]) > what_width) what_width = length(texts[k])
	}
	for (k = 1; k <= finding_count; k++)
		printf "%-" code_width "s  %-" what_width "s  %s\n", codes[k], texts[k], remedies[k]
}

$1 == "seen" { seen[$2] = 1 }

END {
	kind_count = split("domains policies xenstore routes routes6 neighbours neighbours6 forwarding processes devices", kinds, " ")
	for (k = 1; k <= kind_count; k++) if (!(kinds[k] in seen)) blind = blind " " kinds[k]
	if (json) print_json()
	else if (finding_count > 0) print_table()
	else if (blind == "") print "nothing found"
	if (blind != "") {
		print "audit: these sources could not be read:" blind | "cat >&2"
		close("cat >&2")
		exit 69
	}
	exit finding_count > 0 ? 1 : 0
}

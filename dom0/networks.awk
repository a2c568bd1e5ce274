# Converts addresses and networks to strings: 4 or 6, then the bits as 0 and 1. A network's string is a prefix
# of the string of each address in it.

function binary(number, width,    text) {
	for (; width > 0; width--) {
		text = number % 2 text
		number = int(number / 2)
	}
	return text
}

function hex(digits,    number, k) {
	for (k = 1; k <= length(digits); k++)
		number = number * 16 + index("0123456789abcdef", substr(digits, k, 1)) - 1
	return number + 0
}

# The bits of the 16-bit groups before or after "::".
function groups(text,    list, count, k, bits) {
	count = split(text, list, ":")
	for (k = 1; k <= count; k++) bits = bits binary(hex(list[k]), 16)
	return bits
}

function bits_of_ipv6(address,    gap, head, tail) {
	gap = index(address, "::")
	if (gap == 0) return groups(address)
	head = groups(substr(address, 1, gap - 1))
	tail = groups(substr(address, gap + 2))
	return head binary(0, 128 - length(head) - length(tail)) tail
}

# Returns "" if the text is neither an address nor a network.
function bits_of(text,    slash, address, part, bits) {
	if (text !~ /^[0-9a-f:]+:[0-9a-f:]*(\/[0-9]+)?$|^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+(\/[0-9]+)?$/) return ""
	slash = index(text, "/")
	address = slash ? substr(text, 1, slash - 1) : text
	if (index(address, ":")) bits = "6" bits_of_ipv6(address)
	else {
		split(address, part, ".")
		bits = "4" binary(part[1], 8) binary(part[2], 8) binary(part[3], 8) binary(part[4], 8)
	}
	return slash ? substr(bits, 1, 1 + substr(text, slash + 1)) : bits
}

# Whether outer contains inner, or equals it.
function holds(outer, inner) {
	return outer != "" && substr(inner, 1, length(outer)) == outer
}

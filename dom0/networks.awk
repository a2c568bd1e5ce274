# Addresses and networks as strings of 0 and 1 after a 4 or a 6: a network's is the beginning of all that are in it.

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

# Of the 16-bit groups of one half of an IPv6 address.
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

# "" for what is neither an address nor a network.
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

# Whether the second is in the first, or is the first.
function holds(outer, inner) {
	return outer != "" && substr(inner, 1, length(outer)) == outer
}

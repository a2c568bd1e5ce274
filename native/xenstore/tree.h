// A whole subtree in one request.
#pragma once

#include <string>

#include "xenstore/reply.h"

namespace vifwatch {

// Reads `root` and everything below it: Strings of path, value, path, value..., parents first, the
// paths relative to the root, whose own is "". Not a snapshot: what vanishes meanwhile or cannot be
// read is left out, unless it is the root. E2BIG if it is larger than kMaxTree.
Reply Tree(xs_handle* xs, const std::string& root);

// Bytes, of which every node takes kNodeSize besides its path and value. Far above what a store
// holds for any backend, and little enough to survive a hostile one: at most 65536 nodes. The walk
// does not recurse, so that their depth needs no bound of its own.
constexpr std::size_t kMaxTree = 16 << 20;
constexpr std::size_t kNodeSize = 256;

}  // namespace vifwatch

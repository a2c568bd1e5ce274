// Reads a whole subtree.
#pragma once

#include <string>

#include "xenstore/reply.h"

namespace vifwatch {

// Reads `root` and all nodes below it: path, value, path, value..., parents first. The paths are
// relative to the root, whose own path is "". It is not a snapshot: nodes that vanish meanwhile or
// cannot be read are left out. The root itself must be readable. E2BIG above kMaxTree.
Reply Tree(xs_handle* xs, const std::string& root);

// In bytes; each node counts kNodeSize plus its path and value. This is far more than any backend
// directory needs, and limits a hostile one to 65536 nodes. The walk does not recurse, and so needs
// no limit on the depth.
constexpr std::size_t kMaxTree = 16 << 20;
constexpr std::size_t kNodeSize = 256;

}  // namespace vifwatch

// Starts programs. A fork would copy the page tables of all our memory first, which takes
// milliseconds: here the child uses that memory itself until it has its own, as with vfork(2).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "process/descriptor.h"
#include "process/exec_child.h"

namespace vifwatch {

struct Program {
  std::string path;
  std::vector<std::string> arguments;    // from argv[0] on
  std::vector<std::string> environment;  // NAME=value
  std::array<int, 3> descriptors;        // to become 0 to 2
  std::optional<Identity> identity;      // to become, with no other groups
};

struct Process {
  pid_t pid;
  Descriptor pidfd;  // readable when it has ended
};

// In a session of its own, at "/", with all signals at their defaults. No PATH is searched, and no
// shell takes part. It must be waited for by its pid. Blocks until the program is loaded. Throws
// Failure, with nothing left.
Process StartProcess(const Program& program);

}  // namespace vifwatch

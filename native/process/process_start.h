// Starts programs. fork(2) would first copy the page tables of all our memory, which takes
// milliseconds. Here the child uses our memory until its exec, as with vfork(2).
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
  std::vector<std::string> arguments;    // includes argv[0]
  std::vector<std::string> environment;  // entries NAME=value
  std::array<int, 3> descriptors;        // the child's descriptors 0 to 2
  std::optional<Identity> identity;      // the child's user and group; it gets no other groups
};

struct Process {
  pid_t pid;
  Descriptor pidfd;  // readable after the process has ended
};

// Starts a program in its own session, with "/" as its working directory and all signals at their
// defaults. It searches no PATH and uses no shell. It blocks until the program is loaded. The
// caller must wait for the pid. If it throws Failure, no process is left.
Process StartProcess(const Program& program);

}  // namespace vifwatch

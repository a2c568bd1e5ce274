// What a child does between its start and its program. It runs in its parent's memory, while the
// parent's thread waits and all others go on.
#pragma once

#include <sys/types.h>

namespace vifwatch {

struct Identity {
  uid_t uid;
  gid_t gid;
};

struct ExecChild {
  const char* path;
  char* const* arguments;
  char* const* environment;
  int descriptors[3];        // to become 0 to 2
  const Identity* identity;  // if it is to be another
  int pidfd = -1;            // the parent's, which has it before the child starts

  // Of the step that failed, if any.
  const char* operation = nullptr;
  int error = 0;
};

// To be run with all signals blocked: a handler would run in the parent's memory too. Returns only
// if a step fails.
int RunExecChild(void* child);

}  // namespace vifwatch

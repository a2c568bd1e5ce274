// The code that a child runs between clone() and execve(). It runs in the parent's memory, while
// the thread that started it waits and the parent's other threads continue.
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
  int descriptors[3];        // the child's descriptors 0 to 2
  const Identity* identity;  // nullptr keeps the parent's user and groups
  int pidfd = -1;            // belongs to the parent; the kernel sets it before the child runs

  // The step that failed, if any, and its errno.
  const char* operation = nullptr;
  int error = 0;
};

// The caller must block all signals: a handler would run in the parent's memory too. Returns only
// if a step fails.
int RunExecChild(void* child);

}  // namespace vifwatch

#include "process/exec_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace vifwatch {

// The child shares the parent's memory: the sanitizers would mistake its stack for the parent's.
#define IN_CHILD __attribute__((no_sanitize("address", "undefined", "thread")))

// On 32-bit machines SYS_setuid and the like are calls that take 16-bit ids.
static_assert(sizeof(long) == 8);

// The child makes system calls only. Some functions of the C library would act on all threads of
// the parent, or would leave out the library's own signals.
namespace {

constexpr int kSignals = 64;
constexpr std::size_t kMaskSize = kSignals / 8;

IN_CHILD void ResetSignals() {
  // The kernel's struct is smaller than this on every architecture, and zeros mean SIG_DFL.
  const unsigned long defaults[8] = {};
  // The calls for SIGKILL and SIGSTOP fail, and need not succeed.
  for (int signal = 1; signal <= kSignals; signal++) {
    syscall(SYS_rt_sigaction, signal, defaults, nullptr, kMaskSize);
  }
}

IN_CHILD bool PlaceDescriptors(int (&from)[3]) {
  // A source descriptor from 0 to 2 is moved away first, so that no dup3 overwrites it too early.
  for (int& descriptor : from) {
    if (descriptor > 2) continue;
    descriptor = static_cast<int>(syscall(SYS_fcntl, descriptor, F_DUPFD_CLOEXEC, 3));
    if (descriptor < 0) return false;
  }
  for (int to = 0; to < 3; to++) {
    if (syscall(SYS_dup3, from[to], to, 0) < 0) return false;
  }
  return true;
}

IN_CHILD const char* FailedStep(ExecChild& child) {
  if (child.pidfd < 0) {  // an old kernel ignores CLONE_PIDFD
    errno = ENOSYS;
    return "pidfd";
  }
  if (syscall(SYS_setsid) < 0) return "session";
  ResetSignals();
  if (child.identity != nullptr) {
    if (syscall(SYS_setgroups, 0L, nullptr) != 0) return "groups";
    if (syscall(SYS_setgid, child.identity->gid) != 0) return "group";
    if (syscall(SYS_setuid, child.identity->uid) != 0) return "user";
  }
  if (syscall(SYS_chdir, "/") != 0) return "directory";
  if (!PlaceDescriptors(child.descriptors)) return "descriptors";
  // Our own descriptors have O_CLOEXEC. This closes those of libraries that forgot it. A kernel
  // before 5.9 does not have the call.
  syscall(SYS_close_range, 3L, ~0U, 0L);
  const unsigned long none = 0;
  if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, kMaskSize) != 0) return "signals";
  syscall(SYS_execve, child.path, child.arguments, child.environment);
  return "exec";
}

}  // namespace

IN_CHILD int RunExecChild(void* argument) {
  auto& child = *static_cast<ExecChild*>(argument);
  child.operation = FailedStep(child);
  child.error = errno;
  return 127;
}

}  // namespace vifwatch

#include "process/process_start.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include "failure.h"

namespace vifwatch {

namespace {

constexpr std::size_t kStackSize = 64 << 10;  // the child's functions need less than one page

// Blocks all signals, including those that the C library reserves for itself.
class BlockedSignals {
 public:
  BlockedSignals() {
    if (Set(~std::uint64_t{0}, &before_) != 0) throw Failure("clone", errno);
  }
  ~BlockedSignals() { Set(before_, nullptr); }
  BlockedSignals(const BlockedSignals&) = delete;
  BlockedSignals& operator=(const BlockedSignals&) = delete;

 private:
  static long Set(std::uint64_t mask, std::uint64_t* before) {
    return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, before, sizeof mask);
  }

  std::uint64_t before_ = 0;
};

// The kernel makes memory undumpable when its process changes its user. Until its exec, the child
// shares our memory, and undumpable memory protects us from that user. Afterwards this restores the
// flag, if it was set before.
class KeptDumpable {
 public:
  ~KeptDumpable() {
    if (was_) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  }
  KeptDumpable() = default;
  KeptDumpable(const KeptDumpable&) = delete;
  KeptDumpable& operator=(const KeptDumpable&) = delete;

 private:
  const bool was_ = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1;
};

// Returns the strings as an array for execve(2), which does not write to them.
std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

pid_t Clone(ExecChild& child) {
  const auto stack = std::make_unique_for_overwrite<std::byte[]>(kStackSize);
  // Without the lock, one thread would restore dumpability while another thread's child still runs
  // in our memory.
  static std::mutex oneAtATime;
  const std::lock_guard lock(oneAtATime);
  const KeptDumpable dumpable;
  const BlockedSignals blocked;
  const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  const pid_t pid = clone(RunExecChild, stack.get() + kStackSize, flags, &child, &child.pidfd,
                          nullptr, nullptr);
  if (pid < 0) throw Failure("clone", errno);
  return pid;
}

}  // namespace

Process StartProcess(const Program& program) {
  const auto arguments = Pointers(program.arguments);
  const auto environment = Pointers(program.environment);
  const auto& [input, output, errors] = program.descriptors;
  ExecChild child{
      .path = program.path.c_str(),
      .arguments = arguments.data(),
      .environment = environment.data(),
      .descriptors = {input, output, errors},
      .identity = program.identity ? &*program.identity : nullptr,
  };
  const pid_t pid = Clone(child);
  Process process{pid, Descriptor(child.pidfd)};
  if (child.operation == nullptr) return process;
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
  throw Failure(child.operation, child.error);
}

}  // namespace vifwatch

// Tells a Node environment when a process ends. libuv does not interfere: it waits only for
// processes that it has started itself.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "loop_handle.h"
#include "process/process_start.h"

namespace vifwatch {

class ProcessEnd {
 public:
  // Calls `onEnd` with the exit status, or 128 plus the signal's number. If the environment ends
  // first, `onEnd` is not called and the process is not waited for. Kills the process and throws
  // Failure if it cannot be watched.
  static void Watch(Napi::Env env, Process process, Napi::Function onEnd);

 private:
  ProcessEnd(Napi::Env env, Process process, Napi::Function onEnd);
  void OnReadable();

  const Napi::Env env_;
  const Napi::AsyncContext context_;
  std::optional<Process> process_;  // empty after its end
  const Napi::FunctionReference onEnd_;
  std::shared_ptr<EnvironmentHook> hook_;
  LoopHandle<uv_poll_t> poll_;
};

}  // namespace vifwatch

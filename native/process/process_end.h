// Tells a Node environment of a process's end. libuv, which asks only for those that it started
// itself, leaves it alone.
#pragma once

#include <napi.h>

#include <memory>
#include <optional>

#include "loop_handle.h"
#include "process/process_start.h"

namespace vifwatch {

class ProcessEnd {
 public:
  // Calls `onEnd` with the exit status, or 128 and the signal's number. Nobody hears of it, or waits
  // for the process, if the environment ends before. Throws Failure, having killed the process.
  static void Watch(Napi::Env env, Process process, Napi::Function onEnd);

 private:
  ProcessEnd(Napi::Env env, Process process, Napi::Function onEnd);
  void OnReadable();

  const Napi::Env env_;
  const Napi::AsyncContext context_;
  std::optional<Process> process_;  // none once it has ended
  const Napi::FunctionReference onEnd_;
  std::shared_ptr<EnvironmentHook> hook_;
  LoopHandle<uv_poll_t> poll_;
};

}  // namespace vifwatch

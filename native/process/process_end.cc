#include "process/process_end.h"

#include <signal.h>
#include <sys/wait.h>

#include <cerrno>

#include "failure.h"
#include "js_value.h"

namespace vifwatch {

namespace {

// The exit status if other code in this process has already waited for the child, e.g. for any
// child.
constexpr int kUnknown = 255;

// Returns the exit status, or 128 plus the signal's number; nullopt if the process still runs.
std::optional<int> Reap(pid_t pid) {
  siginfo_t info = {};
  if (waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) != 0) return kUnknown;
  if (info.si_pid == 0) return std::nullopt;
  return info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
}

void Kill(pid_t pid) {
  // Without the signal, the wait could last for ever.
  if (kill(-pid, SIGKILL) != 0) return;
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
}

}  // namespace

void ProcessEnd::Watch(Napi::Env env, Process process, Napi::Function onEnd) {
  const pid_t pid = process.pid;
  try {
    auto* end = new ProcessEnd(env, std::move(process), onEnd);
    // The object owns itself: it is deleted when the process or the environment ends.
    end->hook_->Bind(end);
  } catch (const std::system_error& failure) {
    Kill(pid);
    throw Failure("watch process", failure.code().value());
  } catch (...) {
    Kill(pid);
    throw;
  }
}

ProcessEnd::ProcessEnd(Napi::Env env, Process process, Napi::Function onEnd)
    : env_(env),
      context_(env, "process"),
      process_(std::move(process)),
      onEnd_(Napi::Persistent(onEnd)),
      hook_(std::make_shared<EnvironmentHook>(
          env, [](void* self) { delete static_cast<ProcessEnd*>(self); })) {
  uv_loop_t* const loop = LoopOf(env);
  poll_ = MakeLoopHandle<uv_poll_t>(hook_, this, [&](uv_poll_t* poll) {
    return uv_poll_init(loop, poll, process_->pidfd.Number());
  });
  CheckUv(uv_poll_start(&poll_->handle, UV_READABLE, [](uv_poll_t* poll, int, int) {
    static_cast<ProcessEnd*>(poll->data)->OnReadable();
  }));
}

void ProcessEnd::OnReadable() {
  const auto status = Reap(process_->pid);
  if (!status) return;
  const std::unique_ptr<ProcessEnd> self(this);
  hook_->Bind(nullptr);
  // When the callback runs, no handle or descriptor of the process is left.
  poll_.reset();
  process_.reset();
  const Napi::HandleScope handles(env_);
  const Napi::CallbackScope scope(env_, context_);
  napi_value argument = nullptr;
  napi_create_int32(env_, *status, &argument);
  CallJs(env_, onEnd_.Value(), {argument});
}

}  // namespace vifwatch

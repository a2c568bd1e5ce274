// libuv handles that a C++ object owns in one Node environment (the main thread's or a worker's).
#pragma once

#include <node_api.h>
#include <uv.h>

#include <memory>
#include <system_error>
#include <utility>

namespace vifwatch {

// Throws std::system_error if a libuv call returned an error.
inline void CheckUv(int status) {
  if (status < 0) throw std::system_error(-status, std::generic_category());
}

inline uv_loop_t* LoopOf(napi_env env) {
  uv_loop_t* loop = nullptr;
  if (napi_get_uv_event_loop(env, &loop) != napi_ok) CheckUv(UV_EINVAL);
  return loop;
}

// Calls `stop` when the environment ends, and delays that end until the last owner of this object
// has released it: a worker's loop must not be freed while handles are open.
class EnvironmentHook {
 public:
  EnvironmentHook(napi_env env, void (*stop)(void*)) : stop_(stop) {
    if (napi_add_async_cleanup_hook(env, Run, this, &handle_) != napi_ok) CheckUv(UV_EINVAL);
  }
  ~EnvironmentHook() { napi_remove_async_cleanup_hook(handle_); }
  EnvironmentHook(const EnvironmentHook&) = delete;
  EnvironmentHook& operator=(const EnvironmentHook&) = delete;

  // Sets the object for which `stop` is called; nullptr for none.
  void Bind(void* owner) { owner_ = owner; }

 private:
  static void Run(napi_async_cleanup_hook_handle, void* self) {
    const auto* hook = static_cast<EnvironmentHook*>(self);
    if (hook->owner_ != nullptr) hook->stop_(hook->owner_);
  }

  void (*const stop_)(void*);
  void* owner_ = nullptr;
  napi_async_cleanup_hook_handle handle_ = nullptr;
};

// A libuv handle and the hook that must outlive it. libuv uses the handle's memory until its close
// callback has run, one loop iteration after uv_close().
template <typename Handle>
struct Hooked {
  Handle handle;
  std::shared_ptr<EnvironmentHook> hook;
};

template <typename Handle>
struct CloseHandle {
  void operator()(Hooked<Handle>* hooked) const {
    auto* handle = reinterpret_cast<uv_handle_t*>(&hooked->handle);
    uv_handle_set_data(handle, hooked);
    uv_close(handle, [](uv_handle_t* closed) {
      delete static_cast<Hooked<Handle>*>(uv_handle_get_data(closed));
    });
  }
};

template <typename Handle>
using LoopHandle = std::unique_ptr<Hooked<Handle>, CloseHandle<Handle>>;

// Makes a handle with `init`, which returns a libuv status. Throws std::system_error if it fails.
template <typename Handle, typename Init>
LoopHandle<Handle> MakeLoopHandle(std::shared_ptr<EnvironmentHook> hook, void* data, Init init) {
  auto hooked = std::make_unique<Hooked<Handle>>(Handle{}, std::move(hook));
  CheckUv(init(&hooked->handle));
  hooked->handle.data = data;
  return LoopHandle<Handle>(hooked.release());
}

}  // namespace vifwatch

// A connection to xenstored for the JavaScript thread: promises for replies, callbacks for watch
// events.
#pragma once

#include <napi.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "loop_handle.h"
#include "xenstore/handles.h"
#include "xenstore/reply.h"
#include "xenstore/request_thread.h"

namespace vifwatch {

class Connection {
 public:
  // Connects. `self` is the JavaScript object that owns this. Throws std::system_error.
  explicit Connection(Napi::Object self);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Returns a promise for the request's reply. It rejects with EBADF if the connection is closed or
  // lost.
  Napi::Value Promise(Request request);

  // Watches `path`, and returns an id for Unwatch(). `callback` is called with (null, path) for
  // each event, or once with (error) if the watch fails or the connection is lost. Throws
  // Napi::Error if the connection is closed or lost.
  std::uint64_t Watch(const std::string& path, Napi::Function callback);
  void Unwatch(std::uint64_t id);

  // Rejects the pending requests and drops the watches. May be called twice. Never blocks.
  void Close();

 private:
  using Settle = std::function<void(const Reply&)>;
  struct Watched {
    std::string path;
    Napi::FunctionReference callback;
  };

  void Poll(uv_loop_t* loop, int fd);
  void Submit(xs_handle* xs, Request request, Settle settle);
  void OnReplies();
  void OnEvents();
  bool PassEvents();
  void FailWatch(const Watched& watch, int error);
  void KeepAlive();
  void Stop();

  const Napi::Env env_;
  const Napi::AsyncContext context_;
  Napi::ObjectReference self_;
  Handles xs_ = {};  // owned by the request thread; this class may call only xs_check_watch()
  std::uint64_t lastId_ = 0;
  std::map<std::uint64_t, Settle> pending_;
  std::map<std::uint64_t, Watched> watches_;
  bool alive_ = false;
  bool lost_ = false;  // true after either handle was lost; then all later requests fail

  // These are destroyed from the last to the first: polling must end before the thread closes the
  // descriptor, and the thread must stop before its wake handle is closed.
  std::shared_ptr<EnvironmentHook> hook_;
  LoopHandle<uv_async_t> wake_;
  std::unique_ptr<RequestThread> requests_;  // null after Close()
  LoopHandle<uv_poll_t> events_;
};

}  // namespace vifwatch

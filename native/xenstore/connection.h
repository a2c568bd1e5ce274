// A connection to xenstored as the JavaScript thread sees it: promises of replies, callbacks for
// watch events.
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

  // A promise of what `request` replies. Rejects with EBADF once the connection is closed or lost.
  Napi::Value Promise(Request request);

  // Watches `path` until Unwatch() of the id that this returns. `callback` is called with (null,
  // path) for each event, or once with (error) if the watch fails or ends with the connection.
  // Throws Napi::Error if the connection is closed.
  std::uint64_t Watch(const std::string& path, Napi::Function callback);
  void Unwatch(std::uint64_t id);

  // Rejects what is pending and drops the watches. May be called twice. Never blocks.
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
  Handles xs_ = {};  // the request thread's: here, only xs_check_watch() may be called
  std::uint64_t lastId_ = 0;
  std::map<std::uint64_t, Settle> pending_;
  std::map<std::uint64_t, Watched> watches_;
  bool alive_ = false;
  bool lost_ = false;  // either handle, and then all later requests fail

  // Undone from below: polling ends before the thread closes the descriptor, and the thread stops
  // waking the loop before that handle goes.
  std::shared_ptr<EnvironmentHook> hook_;
  LoopHandle<uv_async_t> wake_;
  std::unique_ptr<RequestThread> requests_;  // none when closed
  LoopHandle<uv_poll_t> events_;
};

}  // namespace vifwatch

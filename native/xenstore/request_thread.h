// A connection's own thread, which makes the requests first in, first out. It is neither the
// JavaScript thread nor a thread of libuv's pool, because a hung xenstored blocks the thread that
// asks it.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>

#include "xenstore/handles.h"
#include "xenstore/reply.h"

namespace vifwatch {

using Request = std::function<Reply(xs_handle*)>;

struct Job {
  std::uint64_t id;
  xs_handle* xs;
  Request request;
  Reply reply = {};  // set when the request is completed
};

// A list can pass a job on without an allocation, which could fail.
using Jobs = std::list<Job>;

class RequestThread {
 public:
  // Owns the handles from now on. Sends `wake` when Take() will return completions. Throws
  // std::system_error; then the caller still owns the handles.
  RequestThread(Handles handles, uv_async_t* wake);

  // Never blocks. Drops the requests that have not begun, and stops sending `wake`. The thread
  // closes the handles when its current request returns. A request that xenstored never answers
  // cannot be interrupted: such a thread and its handles stay until the process ends.
  ~RequestThread();

  RequestThread(const RequestThread&) = delete;
  RequestThread& operator=(const RequestThread&) = delete;

  // Queues a request. `xs` is the handle for it. If memory is short, it throws std::bad_alloc and
  // queues nothing, or the request's reply is ENOMEM.
  void Submit(std::uint64_t id, xs_handle* xs, Request request);

  // Returns the requests that were completed since the last call.
  Jobs Take();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace vifwatch

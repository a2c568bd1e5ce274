// The one thread of a connection that makes its requests, first in, first out. It is neither the
// JavaScript thread nor one of libuv's pool: a xenstored that hangs would take those with it.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "xenstore/handles.h"
#include "xenstore/reply.h"

namespace vifwatch {

using Request = std::function<Reply(xs_handle*)>;

struct Completion {
  std::uint64_t id;
  Reply reply;
};

class RequestThread {
 public:
  // Takes over the handles. Sends `wake` when there are completions to take. Throws std::system_error.
  RequestThread(Handles handles, uv_async_t* wake);

  // Never blocks. Requests that have not begun are dropped, `wake` is not sent any more, and the
  // thread closes the handles as soon as it is out of the library. A request that xenstored never
  // answers cannot be interrupted, so such a thread and its handles stay until the process ends.
  ~RequestThread();

  RequestThread(const RequestThread&) = delete;
  RequestThread& operator=(const RequestThread&) = delete;

  // `xs` is the handle to make it on.
  void Submit(std::uint64_t id, xs_handle* xs, Request request);

  // What has completed since the last call.
  std::vector<Completion> Take();

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace vifwatch

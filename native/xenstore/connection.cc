#include "xenstore/connection.h"

#include <new>
#include <system_error>

#include "js_value.h"
#include "xenstore/reply_value.h"
#include "xenstore/requests.h"
#include "xenstore/watch_event.h"

namespace vifwatch {

namespace {

struct CloseXenstore {
  void operator()(xs_handle* xs) const { xs_close(xs); }
};
using OwnedHandle = std::unique_ptr<xs_handle, CloseXenstore>;

int Check(int result) {
  if (result < 0) throw std::system_error(errno, std::generic_category());
  return result;
}

template <typename Handle>
uv_handle_t* Base(const LoopHandle<Handle>& handle) {
  return reinterpret_cast<uv_handle_t*>(&handle->handle);
}

}  // namespace

Connection::Connection(Napi::Object self)
    : env_(self.Env()), context_(env_, "xenstore"), self_(Napi::Weak(self)) {
  // XS_UNWATCH_FILTER is not used, because the library leaks each event that its filter drops.
  // PassEvents() drops the events of ids that are not watched any more.
  OwnedHandle requests(xs_open(0));
  Check(requests ? 0 : -1);
  OwnedHandle events(xs_open(0));
  Check(events ? 0 : -1);
  const int fd = Check(xs_fileno(events.get()));

  uv_loop_t* const loop = LoopOf(env_);
  hook_ = std::make_shared<EnvironmentHook>(
      env_, [](void* owner) { static_cast<Connection*>(owner)->Stop(); });
  wake_ = MakeLoopHandle<uv_async_t>(hook_, this, [loop](uv_async_t* wake) {
    return uv_async_init(loop, wake, [](uv_async_t* handle) {
      static_cast<Connection*>(handle->data)->OnReplies();
    });
  });
  uv_unref(Base(wake_));
  requests_ = std::make_unique<RequestThread>(Handles{requests.get(), events.get()}, &wake_->handle);
  xs_ = {requests.release(), events.release()};
  Poll(loop, fd);
  hook_->Bind(this);
}

void Connection::Poll(uv_loop_t* loop, int fd) {
  events_ = MakeLoopHandle<uv_poll_t>(
      hook_, this, [&](uv_poll_t* events) { return uv_poll_init(loop, events, fd); });
  uv_unref(Base(events_));
  CheckUv(uv_poll_start(&events_->handle, UV_READABLE, [](uv_poll_t* handle, int, int) {
    static_cast<Connection*>(handle->data)->OnEvents();
  }));
}

Connection::~Connection() { Stop(); }

// Also called when the environment ends. Then no JavaScript may run.
void Connection::Stop() {
  if (!requests_) return;
  pending_.clear();
  watches_.clear();
  KeepAlive();
  events_.reset();
  requests_.reset();
  wake_.reset();
  hook_->Bind(nullptr);
  hook_.reset();
}

void Connection::Close() {
  const auto pending = std::exchange(pending_, {});
  Stop();
  for (const auto& [id, settle] : pending) settle({EBADF});
}

Napi::Value Connection::Promise(Request request) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env_, &deferred, &promise) != napi_ok) throw Napi::Error::New(env_);
  const Settle settle = [env = env_, deferred](const Reply& reply) {
    const napi_value value = reply.error == 0 ? ToJs(env, reply.value) : nullptr;
    // Both calls only fail while the environment ends. Then nobody waits for the promise.
    if (value != nullptr) {
      napi_resolve_deferred(env, deferred, value);
    } else {
      napi_reject_deferred(env, deferred, ErrorToJs(env, reply.error != 0 ? reply.error : ENOMEM));
    }
  };
  if (!requests_ || lost_) {
    settle({EBADF});
    return {env_, promise};
  }
  try {
    Submit(xs_.requests, std::move(request), settle);
  } catch (const std::bad_alloc&) {
    settle({ENOMEM});
  }
  return {env_, promise};
}

void Connection::Submit(xs_handle* xs, Request request, Settle settle) {
  const std::uint64_t id = ++lastId_;
  const auto entry = pending_.emplace(id, std::move(settle)).first;
  try {
    requests_->Submit(id, xs, std::move(request));
  } catch (const std::bad_alloc&) {
    pending_.erase(entry);
    throw;
  }
  KeepAlive();
}

std::uint64_t Connection::Watch(const std::string& path, Napi::Function callback) {
  if (!requests_ || lost_) throw Napi::Error(env_, ErrorToJs(env_, EBADF));
  const std::uint64_t id = ++lastId_;
  const auto settle = [this, id](const Reply& reply) {
    if (reply.error == 0) return;
    auto watch = watches_.extract(id);
    if (!watch.empty()) FailWatch(watch.mapped(), reply.error);
  };
  watches_.emplace(id, Watched{path, Napi::Persistent(callback)});
  try {
    Submit(xs_.events,
           [path, token = std::to_string(id)](xs_handle* xs) {
             return vifwatch::Watch(xs, path, token);
           },
           settle);
  } catch (const std::bad_alloc&) {
    watches_.erase(id);
    throw Napi::Error(env_, ErrorToJs(env_, ENOMEM));
  }
  return id;
}

void Connection::Unwatch(std::uint64_t id) {
  const auto watch = watches_.extract(id);
  if (watch.empty()) return;
  KeepAlive();
  // The answer is ignored, and so it has no entry in pending_.
  requests_->Submit(++lastId_, xs_.events,
                    [path = watch.mapped().path, token = std::to_string(id)](xs_handle* xs) {
                      return vifwatch::Unwatch(xs, path, token);
                    });
}

void Connection::OnReplies() {
  const Napi::HandleScope handles(env_);
  [[maybe_unused]] const Napi::Object self = self_.Value();  // stays alive if a callback closes it
  const Napi::CallbackScope scope(env_, context_);
  Jobs completions = requests_->Take();
  // PassEvents() runs JavaScript, which may close the connection: do not use the handles after it.
  const bool connected = IsConnected(xs_.requests);
  lost_ = !PassEvents() || !connected || lost_;
  for (Job& job : completions) {
    auto settle = pending_.extract(job.id);
    if (settle.empty()) continue;
    if (lost_ && IsBreak(job.reply.error)) job.reply.error = EBADF;
    settle.mapped()(job.reply);
  }
  if (lost_) {
    for (const auto& [id, watch] : std::exchange(watches_, {})) FailWatch(watch, EBADF);
  }
  KeepAlive();
}

void Connection::OnEvents() {
  const Napi::HandleScope handles(env_);
  [[maybe_unused]] const Napi::Object self = self_.Value();
  const Napi::CallbackScope scope(env_, context_);
  PassEvents();
}

// Returns false if the connection is lost.
bool Connection::PassEvents() {
  bool connected = false;
  for (const WatchEvent& event : TakeEvents(xs_.events, &connected)) {
    const auto watch = watches_.find(event.id);
    if (watch == watches_.end()) continue;
    const Napi::HandleScope handles(env_);
    CallJs(env_, watch->second.callback.Value(), {env_.Null(), ToJs(env_, event.path)});
  }
  return connected;
}

void Connection::FailWatch(const Watched& watch, int error) {
  CallJs(env_, watch.callback.Value(), {ErrorToJs(env_, error), env_.Undefined()});
}

// Keeps the loop running and the object alive while a request is pending or a watch exists.
void Connection::KeepAlive() {
  const bool alive = requests_ && (!pending_.empty() || !watches_.empty());
  if (alive == alive_) return;
  alive_ = alive;
  if (alive) {
    uv_ref(Base(wake_));
    self_.Ref();
  } else {
    uv_unref(Base(wake_));
    self_.Unref();
  }
}

}  // namespace vifwatch

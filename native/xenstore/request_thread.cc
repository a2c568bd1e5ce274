#include "xenstore/request_thread.h"

#include <csignal>
#include <condition_variable>
#include <mutex>
#include <new>
#include <thread>

namespace vifwatch {

// Both threads share the state, because either may be the last one that uses it.
struct RequestThread::State {
  const Handles handles;
  uv_async_t* const wake;

  std::mutex mutex = {};  // guards the members below, and the use of `wake`
  std::condition_variable changed = {};
  Jobs jobs = {};
  Jobs done = {};
  bool stopped = false;

  void Serve();
};

namespace {

Reply Perform(const Request& request, xs_handle* xs) {
  try {
    return request(xs);
  } catch (const std::bad_alloc&) {
    return {ENOMEM};
  }
}

void BlockSignals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, nullptr);
}

}  // namespace

void RequestThread::State::Serve() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return stopped || !jobs.empty(); });
    if (stopped) return;
    Jobs current;
    current.splice(current.begin(), jobs, jobs.begin());
    lock.unlock();
    Job& job = current.front();
    job.reply = Perform(job.request, job.xs);
    lock.lock();
    if (stopped) return;
    if (done.empty()) uv_async_send(wake);
    done.splice(done.end(), current);
  }
}

RequestThread::RequestThread(Handles handles, uv_async_t* wake)
    : state_(new State{.handles = handles, .wake = wake}) {
  std::thread([state = state_] {
    BlockSignals();
    state->Serve();
    xs_close(state->handles.events);
    xs_close(state->handles.requests);
  }).detach();
}

RequestThread::~RequestThread() {
  const std::lock_guard lock(state_->mutex);
  state_->stopped = true;
  state_->jobs.clear();
  state_->changed.notify_one();
}

void RequestThread::Submit(std::uint64_t id, xs_handle* xs, Request request) {
  Jobs job;
  job.push_back({id, xs, std::move(request)});
  const std::lock_guard lock(state_->mutex);
  state_->jobs.splice(state_->jobs.end(), job);
  state_->changed.notify_one();
}

Jobs RequestThread::Take() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->done, {});
}

}  // namespace vifwatch

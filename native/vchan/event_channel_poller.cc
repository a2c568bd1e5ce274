#include "vchan/event_channel_poller.h"

namespace vifwatch {

namespace {

// Honest peers also send some useless events: a change may be seen before its event arrives.
constexpr unsigned kTolerated = 3;
constexpr std::uint64_t kPause = 10;           // ms
constexpr std::uint64_t kLongestPause = 1280;  // ms

}  // namespace

EventChannelPoller::EventChannelPoller(napi_env env, EventChannel* channel,
                                       std::function<bool()> handle, std::function<void()> stop)
    : channel_(channel),
      handle_(std::move(handle)),
      stop_(std::move(stop)),
      life_(std::make_shared<bool>()),
      hook_(std::make_shared<EnvironmentHook>(
          env, [](void* owner) {
            const auto stop = static_cast<EventChannelPoller*>(owner)->stop_;
            stop();
          })) {
  uv_loop_t* const loop = LoopOf(env);
  timer_ = MakeLoopHandle<uv_timer_t>(
      hook_, this, [loop](uv_timer_t* timer) { return uv_timer_init(loop, timer); });
  poll_ = MakeLoopHandle<uv_poll_t>(hook_, this, [&](uv_poll_t* poll) {
    return uv_poll_init(loop, poll, channel_->Descriptor());
  });
  CheckUv(uv_poll_start(&poll_->handle, UV_READABLE, [](uv_poll_t* poll, int status, int) {
    static_cast<EventChannelPoller*>(poll->data)->OnEvent(status);
  }));
  hook_->Bind(this);
}

EventChannelPoller::~EventChannelPoller() { hook_->Bind(nullptr); }

void EventChannelPoller::OnEvent(int status) {
  if (status == 0) {
    channel_->TakeEvent();
  } else {
    channel_->Fail(-status);
  }
  if (channel_->IsBroken()) {
    // The handler finds the failure when it reads. No further event can be expected.
    poll_.reset();
    Handle();
    return;
  }
  masked_ = true;
  if (!Handle()) return;
  if (idle_ <= kTolerated) {
    channel_->Unmask();
    masked_ = false;
  }
  // The event's reason may become visible only later: when a peer's process dies, its kernel sends
  // the event, then frees the process's memory, and only then clears the byte that reports the
  // death.
  if (idle_ > 0) LookAgain(kPause);
}

void EventChannelPoller::OnTimer() {
  const unsigned idle = idle_;
  if (!Handle()) return;
  if (masked_) {
    channel_->Unmask();
    masked_ = false;
  }
  if (idle_ == 0) return;
  idle_ = idle;  // a timer's look does not count as an event
  if (pause_ < kLongestPause) LookAgain(2 * pause_);
}

// Returns false if the handler has destroyed this object.
bool EventChannelPoller::Handle() {
  const std::weak_ptr<bool> life = life_;
  const auto handle = handle_;
  const bool useful = handle();
  if (life.expired()) return false;
  idle_ = useful ? 0 : idle_ + 1;
  return true;
}

void EventChannelPoller::LookAgain(std::uint64_t pause) {
  const bool isDue = uv_is_active(reinterpret_cast<uv_handle_t*>(&timer_->handle)) != 0;
  if (isDue && pause_ <= pause) return;
  pause_ = pause;
  const int status = uv_timer_start(
      &timer_->handle,
      [](uv_timer_t* timer) { static_cast<EventChannelPoller*>(timer->data)->OnTimer(); }, pause, 0);
  if (status != 0) channel_->Fail(-status);
}

}  // namespace vifwatch

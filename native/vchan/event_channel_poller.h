// Has a vchan's events handled by the loop of a Node environment. A peer that sends them for nothing
// is listened to only every 10 ms.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "loop_handle.h"
#include "vchan/event_channel.h"

namespace vifwatch {

class EventChannelPoller {
 public:
  // `handle` returns whether there was anything to do; it may destroy this. `stop` is called, and
  // must destroy this, when the environment ends.
  EventChannelPoller(napi_env env, EventChannel* channel, std::function<bool()> handle,
                     std::function<void()> stop);
  ~EventChannelPoller();
  EventChannelPoller(const EventChannelPoller&) = delete;
  EventChannelPoller& operator=(const EventChannelPoller&) = delete;

 private:
  void OnEvent();
  void OnTimer();
  bool Handle();
  void LookAgain(std::uint64_t pause);

  EventChannel* const channel_;
  const std::function<bool()> handle_;
  const std::function<void()> stop_;
  const std::shared_ptr<bool> life_;
  unsigned idle_ = 0;    // events in a row that brought nothing
  std::uint64_t pause_ = 0;  // ms, until the next look without an event
  bool masked_ = false;  // an event was taken, and no other comes
  std::shared_ptr<EnvironmentHook> hook_;
  LoopHandle<uv_timer_t> timer_;
  LoopHandle<uv_poll_t> poll_;
};

}  // namespace vifwatch

// Handles a vchan's events in a Node environment's loop. A peer that sends useless events is heard
// only every 10 ms.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "loop_handle.h"
#include "vchan/event_channel.h"

namespace vifwatch {

class EventChannelPoller {
 public:
  // `handle` returns true if there was something to do; it may destroy this object. `stop` is
  // called when the environment ends, and must destroy this object.
  EventChannelPoller(napi_env env, EventChannel* channel, std::function<bool()> handle,
                     std::function<void()> stop);
  ~EventChannelPoller();
  EventChannelPoller(const EventChannelPoller&) = delete;
  EventChannelPoller& operator=(const EventChannelPoller&) = delete;

 private:
  void OnEvent(int status);  // a libuv status
  void OnTimer();
  bool Handle();
  void LookAgain(std::uint64_t pause);

  EventChannel* const channel_;
  const std::function<bool()> handle_;
  const std::function<void()> stop_;
  const std::shared_ptr<bool> life_;
  unsigned idle_ = 0;        // useless events in a row
  std::uint64_t pause_ = 0;  // ms until the next look without an event
  bool masked_ = false;      // an event was taken, and the port is not unmasked yet
  std::shared_ptr<EnvironmentHook> hook_;
  LoopHandle<uv_timer_t> timer_;
  LoopHandle<uv_poll_t> poll_;
};

}  // namespace vifwatch

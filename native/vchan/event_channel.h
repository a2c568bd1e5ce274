// One end of an event channel, with its own descriptor.
#pragma once

extern "C" {
#include <xenevtchn.h>
}

#include <cstdint>
#include <memory>

namespace vifwatch {

class EventChannel {
 public:
  // Opens a port to which `domid` may bind once. Throws Failure.
  static EventChannel Offer(std::uint32_t domid);
  // Binds to a port that another domain has offered. Throws Failure.
  static EventChannel Join(std::uint32_t domid, std::uint32_t remotePort);

  std::uint32_t Port() const { return port_; }
  // The descriptor is readable when TakeEvent() will not block.
  int Descriptor() const { return xenevtchn_fd(handle_.get()); }

  // Sends an event. It has no effect if the other end is closed.
  void Notify() { xenevtchn_notify(handle_.get(), port_); }
  // Takes an event, and blocks unless the descriptor is readable. Then no event comes until
  // Unmask().
  void TakeEvent() { xenevtchn_pending(handle_.get()); }
  void Unmask() { xenevtchn_unmask(handle_.get(), port_); }

 private:
  struct Close {
    void operator()(xenevtchn_handle* handle) const { xenevtchn_close(handle); }
  };
  using Handle = std::unique_ptr<xenevtchn_handle, Close>;

  EventChannel(Handle handle, int port);
  static Handle Open();

  Handle handle_;
  std::uint32_t port_;
};

}  // namespace vifwatch

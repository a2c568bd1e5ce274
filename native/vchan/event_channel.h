// One end of an event channel, on a descriptor of its own.
#pragma once

extern "C" {
#include <xenevtchn.h>
}

#include <cstdint>
#include <memory>

namespace vifwatch {

class EventChannel {
 public:
  // A port that `domid` may bind to, once. Throws Failure, as does the next.
  static EventChannel Offer(std::uint32_t domid);
  // Binds to what another domain has offered.
  static EventChannel Join(std::uint32_t domid, std::uint32_t remotePort);

  std::uint32_t Port() const { return port_; }
  // Readable when there is an event to take.
  int Descriptor() const { return xenevtchn_fd(handle_.get()); }

  // Nobody hears it if the other end is gone.
  void Notify() { xenevtchn_notify(handle_.get(), port_); }
  // Blocks unless the descriptor is readable. No other event comes until Unmask().
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

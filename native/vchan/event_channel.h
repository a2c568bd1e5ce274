// One end of an event channel, with its own descriptor.
#pragma once

extern "C" {
#include <xenevtchn.h>
}

#include <cerrno>
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

  // Destructors and the event loop's callbacks use the port, and must not throw. Therefore the
  // next three functions only keep their first error, which Check() throws as a Failure.

  // Sends an event. It has no effect if the other end is closed.
  void Notify() { Keep(xenevtchn_notify(handle_.get(), port_)); }
  // Takes an event, and may block unless the descriptor is readable. Then no event comes until
  // Unmask().
  void TakeEvent() { Keep(xenevtchn_pending(handle_.get())); }
  void Unmask() { Keep(xenevtchn_unmask(handle_.get(), port_)); }

  // Keeps the errno of an event that could not be waited for.
  void Fail(int error) {
    if (error_ == 0) error_ = error;
  }
  bool IsBroken() const { return error_ != 0; }
  void Check() const;

 private:
  struct Close {
    void operator()(xenevtchn_handle* handle) const { xenevtchn_close(handle); }
  };
  using Handle = std::unique_ptr<xenevtchn_handle, Close>;

  EventChannel(Handle handle, int port);
  static Handle Open();
  void Keep(int result) {
    // libuv makes the descriptor non-blocking. Without an event, there is nothing to take.
    if (result < 0 && errno != EAGAIN && errno != EINTR) Fail(errno);
  }

  Handle handle_;
  std::uint32_t port_;
  int error_ = 0;
};

}  // namespace vifwatch

#include "vchan/event_channel.h"

#include <cerrno>

#include "failure.h"
#include "vchan/silent_logger.h"

namespace vifwatch {

EventChannel::Handle EventChannel::Open() {
  Handle handle(xenevtchn_open(SilentLogger(), 0));
  if (!handle) throw Failure("open evtchn", errno);
  return handle;
}

EventChannel::EventChannel(Handle handle, int port)
    : handle_(std::move(handle)), port_(static_cast<std::uint32_t>(port)) {
  Unmask();
}

void EventChannel::Check() const {
  if (error_ != 0) throw Failure("use port", error_);
}

EventChannel EventChannel::Offer(std::uint32_t domid) {
  Handle handle = Open();
  const int port = xenevtchn_bind_unbound_port(handle.get(), domid);
  if (port < 0) throw Failure("offer port", errno);
  return {std::move(handle), port};
}

EventChannel EventChannel::Join(std::uint32_t domid, std::uint32_t remotePort) {
  Handle handle = Open();
  const int port = xenevtchn_bind_interdomain(handle.get(), domid, remotePort);
  if (port < 0) throw Failure("join port", errno);
  return {std::move(handle), port};
}

}  // namespace vifwatch

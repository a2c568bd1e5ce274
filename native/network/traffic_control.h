// The links on which tc handles arriving packets, before any nftables hook sees them.
#pragma once

#include <napi.h>

#include <memory>

#include "loop_handle.h"
#include "network/netlink.h"

namespace vifwatch {

// Returns the indices of the links in this network namespace that have an ingress or clsact qdisc. The
// kernel answers at once. Throws Napi::Error with the errno's name in `code`.
Napi::Value IngressQdiscs(const Napi::CallbackInfo& info);

// Takes an array of link indices, and returns those that have a TCX program for arriving packets. Such a program
// needs no qdisc, and the kernel reports no change of it. A kernel before Linux 6.6 has none.
Napi::Value TcxLinks(const Napi::CallbackInfo& info);

// Calls back after each change by tc, also one that is not about a qdisc. Keeps the loop running until
// close() is called.
class TrafficControlWatch : public Napi::ObjectWrap<TrafficControlWatch> {
 public:
  static Napi::Function Class(Napi::Env env);
  // Takes the callback. Throws Napi::Error with the errno's name in `code`.
  explicit TrafficControlWatch(const Napi::CallbackInfo& info);
  ~TrafficControlWatch() override;

 private:
  void Close(const Napi::CallbackInfo& info);
  void OnReadable();
  void Stop();

  const Napi::Env env_;
  const Napi::AsyncContext context_;
  Napi::FunctionReference onChange_;
  // The socket is closed after the poll handle, which is destroyed first.
  std::shared_ptr<Netlink> socket_;
  std::shared_ptr<EnvironmentHook> hook_;
  LoopHandle<uv_poll_t> poll_;
};

}  // namespace vifwatch

// The JavaScript classes of a vchan. src/xen/native.ts declares their methods.
#pragma once

#include <napi.h>

#include <memory>

#include "vchan/event_channel_poller.h"
#include "vchan/session.h"

namespace vifwatch {

class VchanServer : public Napi::ObjectWrap<VchanServer> {
 public:
  static Napi::Function Class(Napi::Env env);
  explicit VchanServer(const Napi::CallbackInfo& info);

  // Throws Napi::Error if `value` is not a VchanServer, or is closed.
  static const std::shared_ptr<ServerPages>& PagesOf(const Napi::Value& value);

 private:
  Napi::Value RingRef(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<ServerPages> pages_;
};

class Vchan : public Napi::ObjectWrap<Vchan> {
 public:
  static Napi::Function Class(Napi::Env env);
  explicit Vchan(const Napi::CallbackInfo& info);
  ~Vchan() override;

 private:
  Napi::Value Port(const Napi::CallbackInfo& info);
  Napi::Value IsWaiting(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  bool OnEvent();
  void Stop();

  const Napi::Env env_;
  const Napi::AsyncContext context_;
  Napi::FunctionReference onEvent_;
  std::unique_ptr<Session> session_;  // null after close()
  std::unique_ptr<EventChannelPoller> events_;
};

}  // namespace vifwatch

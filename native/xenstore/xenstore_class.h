// The JavaScript class of a connection. src/xen/native.ts declares its methods.
#pragma once

#include <napi.h>

#include <memory>
#include <string>

#include "xenstore/connection.h"

namespace vifwatch {

class Xenstore : public Napi::ObjectWrap<Xenstore> {
 public:
  static Napi::Function Class(Napi::Env env);
  explicit Xenstore(const Napi::CallbackInfo& info);

 private:
  using PathRequest = Reply (*)(xs_handle*, xs_transaction_t, const std::string& path);

  template <PathRequest request>
  Napi::Value OfPath(const Napi::CallbackInfo& info);
  Napi::Value ReadAll(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value SetPermissions(const Napi::CallbackInfo& info);
  Napi::Value Tree(const Napi::CallbackInfo& info);
  Napi::Value Begin(const Napi::CallbackInfo& info);
  Napi::Value End(const Napi::CallbackInfo& info);
  Napi::Value Watch(const Napi::CallbackInfo& info);
  void Unwatch(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::unique_ptr<Connection> connection_;
};

}  // namespace vifwatch

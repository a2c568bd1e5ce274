#include <cerrno>

#include "failure.h"
#include "js_value.h"
#include "vchan/vchan_class.h"

namespace vifwatch {

namespace {

constexpr napi_type_tag kTag = {0x9f3c6a1d52e84b07, 0xb1d07e94c6a2f835};

}  // namespace

Napi::Function VchanServer::Class(Napi::Env env) {
  return DefineClass(env, "VchanServer",
                     {InstanceMethod<&VchanServer::RingRef>("ringRef"),
                      InstanceMethod<&VchanServer::Close>("close")});
}

VchanServer::VchanServer(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const auto number = [&](int at) { return info[at].As<Napi::Number>().Uint32Value(); };
  info.This().As<Napi::Object>().TypeTag(&kTag);
  try {
    pages_ = std::make_shared<ServerPages>(number(0), OrdersOf(number(1), number(2)));
  } catch (const Failure& failure) {
    throw ToError(info.Env(), failure);
  }
}

const std::shared_ptr<ServerPages>& VchanServer::PagesOf(const Napi::Value& value) {
  const auto object = value.As<Napi::Object>();
  if (!object.CheckTypeTag(&kTag)) throw Napi::Error(value.Env(), ErrorToJs(value.Env(), EINVAL));
  const auto& pages = Unwrap(object)->pages_;
  if (!pages) throw Napi::Error(value.Env(), ErrorToJs(value.Env(), EBADF));
  return pages;
}

Napi::Value VchanServer::RingRef(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), pages_ ? pages_->Ref() : 0);
}

void VchanServer::Close(const Napi::CallbackInfo&) { pages_.reset(); }

}  // namespace vifwatch

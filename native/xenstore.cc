#include "xenstore.h"

#include <system_error>

#include "arguments.h"
#include "js_value.h"
#include "requests.h"
#include "tree.h"

namespace {

xs_transaction_t ToTransaction(const Napi::Value& value) {
  return value.As<Napi::Number>().Uint32Value();
}

}  // namespace

Napi::Function Xenstore::Class(Napi::Env env) {
  return DefineClass(env, "Xenstore",
                     {InstanceMethod<&Xenstore::OfPath<::Read>>("read"),
                      InstanceMethod<&Xenstore::ReadAll>("readAll"),
                      InstanceMethod<&Xenstore::OfPath<::List>>("list"),
                      InstanceMethod<&Xenstore::Write>("write"),
                      InstanceMethod<&Xenstore::OfPath<::Remove>>("remove"),
                      InstanceMethod<&Xenstore::OfPath<::GetPermissions>>("getPermissions"),
                      InstanceMethod<&Xenstore::SetPermissions>("setPermissions"),
                      InstanceMethod<&Xenstore::Tree>("tree"),
                      InstanceMethod<&Xenstore::Begin>("begin"),
                      InstanceMethod<&Xenstore::End>("end"),
                      InstanceMethod<&Xenstore::Watch>("watch"),
                      InstanceMethod<&Xenstore::Unwatch>("unwatch"),
                      InstanceMethod<&Xenstore::Close>("close")});
}

Xenstore::Xenstore(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  try {
    connection_ = std::make_unique<Connection>(info.This().As<Napi::Object>());
  } catch (const std::system_error& failure) {
    throw Napi::Error(info.Env(), ErrorToJs(info.Env(), failure.code().value()));
  }
}

template <Xenstore::PathRequest request>
Napi::Value Xenstore::OfPath(const Napi::CallbackInfo& info) {
  const std::string path = ToPath(info[0]);
  const xs_transaction_t tx = ToTransaction(info[1]);
  return connection_->Promise([=](xs_handle* xs) { return request(xs, tx, path); });
}

Napi::Value Xenstore::ReadAll(const Napi::CallbackInfo& info) {
  const Strings paths = ToPaths(info[0]);
  const xs_transaction_t tx = ToTransaction(info[1]);
  return connection_->Promise([=](xs_handle* xs) { return ::ReadAll(xs, tx, paths); });
}

Napi::Value Xenstore::Write(const Napi::CallbackInfo& info) {
  const std::string path = ToPath(info[0]);
  const xs_transaction_t tx = ToTransaction(info[1]);
  const std::string value = ToBytes(info[2]);
  CheckSize(info.Env(), path, value.size());
  return connection_->Promise([=](xs_handle* xs) { return ::Write(xs, tx, path, value); });
}

Napi::Value Xenstore::SetPermissions(const Napi::CallbackInfo& info) {
  const std::string path = ToPath(info[0]);
  const xs_transaction_t tx = ToTransaction(info[1]);
  const Permissions permissions = ToPermissions(info[2]);
  CheckSize(info.Env(), path, permissions.size() * kMaxPermissionSize);
  return connection_->Promise(
      [=](xs_handle* xs) { return ::SetPermissions(xs, tx, path, permissions); });
}

Napi::Value Xenstore::Tree(const Napi::CallbackInfo& info) {
  const std::string path = ToPath(info[0]);
  return connection_->Promise([=](xs_handle* xs) { return ::Tree(xs, path); });
}

Napi::Value Xenstore::Begin(const Napi::CallbackInfo&) { return connection_->Promise(::Begin); }

Napi::Value Xenstore::End(const Napi::CallbackInfo& info) {
  const xs_transaction_t tx = ToTransaction(info[0]);
  const bool abort = info[1].ToBoolean();
  return connection_->Promise([=](xs_handle* xs) { return ::End(xs, tx, abort); });
}

Napi::Value Xenstore::Watch(const Napi::CallbackInfo& info) {
  const std::uint64_t id = connection_->Watch(ToPath(info[0]), info[1].As<Napi::Function>());
  return Napi::Number::New(info.Env(), static_cast<double>(id));
}

void Xenstore::Unwatch(const Napi::CallbackInfo& info) {
  connection_->Unwatch(info[0].As<Napi::Number>().Int64Value());
}

void Xenstore::Close(const Napi::CallbackInfo&) { connection_->Close(); }

#include "xenstore/xenstore_class.h"

#include <system_error>

#include "js_value.h"
#include "xenstore/arguments.h"
#include "xenstore/requests.h"
#include "xenstore/tree.h"

namespace vifwatch {

namespace {

xs_transaction_t ToTransaction(const Napi::Value& value) {
  return value.As<Napi::Number>().Uint32Value();
}

}  // namespace

Napi::Function Xenstore::Class(Napi::Env env) {
  return DefineClass(env, "Xenstore",
                     {InstanceMethod<&Xenstore::OfPath<vifwatch::Read>>("read"),
                      InstanceMethod<&Xenstore::ReadAll>("readAll"),
                      InstanceMethod<&Xenstore::OfPath<vifwatch::List>>("list"),
                      InstanceMethod<&Xenstore::Write>("write"),
                      InstanceMethod<&Xenstore::OfPath<vifwatch::Remove>>("remove"),
                      InstanceMethod<&Xenstore::OfPath<vifwatch::GetPermissions>>("getPermissions"),
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
  return connection_->Promise([=](xs_handle* xs) { return vifwatch::ReadAll(xs, tx, paths); });
}

Napi::Value Xenstore::Write(const Napi::CallbackInfo& info) {
  const std::string path = ToPath(info[0]);
  const xs_transaction_t tx = ToTransaction(info[1]);
  const std::string value = ToBytes(info[2]);
  CheckSize(info.Env(), path, value.size());
  return connection_->Promise([=](xs_handle* xs) { return vifwatch::Write(xs, tx, path, value); });
}

Napi::Value Xenstore::SetPermissions(const Napi::CallbackInfo& info) {
  const std::string path = ToPath(info[0]);
  const xs_transaction_t tx = ToTransaction(info[1]);
  const Permissions permissions = ToPermissions(info[2]);
  CheckSize(info.Env(), path, permissions.size() * kMaxPermissionSize);
  return connection_->Promise(
      [=](xs_handle* xs) { return vifwatch::SetPermissions(xs, tx, path, permissions); });
}

Napi::Value Xenstore::Tree(const Napi::CallbackInfo& info) {
  const std::string path = ToPath(info[0]);
  return connection_->Promise([=](xs_handle* xs) { return vifwatch::Tree(xs, path); });
}

Napi::Value Xenstore::Begin(const Napi::CallbackInfo&) {
  return connection_->Promise(vifwatch::Begin);
}

Napi::Value Xenstore::End(const Napi::CallbackInfo& info) {
  const xs_transaction_t tx = ToTransaction(info[0]);
  const bool abort = info[1].ToBoolean();
  return connection_->Promise([=](xs_handle* xs) { return vifwatch::End(xs, tx, abort); });
}

Napi::Value Xenstore::Watch(const Napi::CallbackInfo& info) {
  const std::uint64_t id = connection_->Watch(ToPath(info[0]), info[1].As<Napi::Function>());
  return Napi::Number::New(info.Env(), static_cast<double>(id));
}

void Xenstore::Unwatch(const Napi::CallbackInfo& info) {
  connection_->Unwatch(info[0].As<Napi::Number>().Int64Value());
}

void Xenstore::Close(const Napi::CallbackInfo&) { connection_->Close(); }

}  // namespace vifwatch

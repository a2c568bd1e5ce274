#include "xenstore/arguments.h"

#include <xen/io/xs_wire.h>

#include <algorithm>

#include "js_value.h"

namespace vifwatch {

namespace {

constexpr std::size_t kMaxRequest = XENSTORE_PAYLOAD_MAX - sizeof(xsd_sockmsg);
constexpr std::int64_t kMaxDomid = 0xffff;

void Check(Napi::Env env, bool fine, int error) {
  if (!fine) throw Napi::Error(env, ErrorToJs(env, error));
}

}  // namespace

std::string ToPath(const Napi::Value& value) {
  std::string path = value.As<Napi::String>().Utf8Value();
  Check(value.Env(), path.find('\0') == std::string::npos, EINVAL);
  Check(value.Env(), path.size() <= XENSTORE_ABS_PATH_MAX, EINVAL);
  return path;
}

Strings ToPaths(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  Strings paths;
  for (std::uint32_t i = 0; i < list.Length(); i++) {
    const Napi::HandleScope scope(value.Env());
    paths.push_back(ToPath(list.Get(i)));
  }
  return paths;
}

std::string ToBytes(const Napi::Value& value) {
  const std::u16string text = value.As<Napi::String>().Utf16Value();
  const auto isByte = [](char16_t unit) { return unit <= 0xff; };
  Check(value.Env(), std::all_of(text.begin(), text.end(), isByte), EINVAL);
  return {text.begin(), text.end()};
}

Permissions ToPermissions(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  Permissions permissions;
  for (std::uint32_t i = 0; i < list.Length(); i++) {
    const auto entry = list.Get(i).As<Napi::Object>();
    const std::int64_t domid = entry.Get("domid").As<Napi::Number>().Int64Value();
    Check(value.Env(), domid >= 0 && domid <= kMaxDomid, EINVAL);
    const unsigned read = entry.Get("read").ToBoolean() ? XS_PERM_READ : XS_PERM_NONE;
    const unsigned write = entry.Get("write").ToBoolean() ? XS_PERM_WRITE : XS_PERM_NONE;
    permissions.push_back({static_cast<unsigned>(domid), read | write});
  }
  return permissions;
}

void CheckSize(Napi::Env env, const std::string& path, std::size_t otherBytes) {
  Check(env, path.size() + 1 + otherBytes <= kMaxRequest, E2BIG);
}

}  // namespace vifwatch

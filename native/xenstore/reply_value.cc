#include "xenstore/reply_value.h"

#include "js_value.h"

namespace vifwatch {

namespace {

// Without this, a string would convert to an optional string, and that conversion would call
// itself.
using vifwatch::ToJs;

napi_value ToJs(napi_env env, std::monostate) {
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  return undefined;
}

napi_value ToJs(napi_env env, std::uint32_t number) {
  napi_value value = nullptr;
  napi_create_uint32(env, number, &value);
  return value;
}

napi_value ToJs(napi_env env, bool truth) {
  napi_value value = nullptr;
  napi_get_boolean(env, truth, &value);
  return value;
}

napi_value ToJs(napi_env env, const xs_permissions& permission) {
  napi_value object = nullptr;
  napi_create_object(env, &object);
  napi_set_named_property(env, object, "domid", ToJs(env, permission.id));
  napi_set_named_property(env, object, "read", ToJs(env, (permission.perms & XS_PERM_READ) != 0));
  napi_set_named_property(env, object, "write", ToJs(env, (permission.perms & XS_PERM_WRITE) != 0));
  return object;
}

napi_value ToJs(napi_env env, const std::optional<std::string>& bytes) {
  return bytes ? ToJs(env, *bytes) : ToJs(env, std::monostate());
}

template <typename Item>
napi_value ToJs(napi_env env, const std::vector<Item>& items) {
  napi_value array = nullptr;
  napi_create_array_with_length(env, items.size(), &array);
  for (std::size_t i = 0; i < items.size(); i++) {
    // An array may be long. Without this scope, every value would live until the caller's scope
    // ends.
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, array, i, ToJs(env, items[i]));
    napi_close_handle_scope(env, scope);
  }
  return array;
}

}  // namespace

napi_value ToJs(napi_env env, const Value& value) {
  return std::visit([env](const auto& alternative) { return ToJs(env, alternative); }, value);
}

}  // namespace vifwatch

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
  if (napi_create_object(env, &object) != napi_ok) return nullptr;
  const auto set = [&](const char* name, napi_value value) {
    return napi_set_named_property(env, object, name, value) == napi_ok;
  };
  const bool isComplete = set("domid", ToJs(env, permission.id)) &&
                          set("read", ToJs(env, (permission.perms & XS_PERM_READ) != 0)) &&
                          set("write", ToJs(env, (permission.perms & XS_PERM_WRITE) != 0));
  return isComplete ? object : nullptr;
}

napi_value ToJs(napi_env env, const std::optional<std::string>& bytes) {
  return bytes ? ToJs(env, *bytes) : ToJs(env, std::monostate());
}

template <typename Item>
napi_value ToJs(napi_env env, const std::vector<Item>& items) {
  napi_value array = nullptr;
  if (napi_create_array_with_length(env, items.size(), &array) != napi_ok) return nullptr;
  std::uint32_t index = 0;
  for (const Item& item : items) {
    // An array may be long. Without this scope, every value would live until the caller's scope
    // ends.
    napi_handle_scope scope = nullptr;
    if (napi_open_handle_scope(env, &scope) != napi_ok) return nullptr;
    const napi_status status = napi_set_element(env, array, index++, ToJs(env, item));
    if (napi_close_handle_scope(env, scope) != napi_ok || status != napi_ok) return nullptr;
  }
  return array;
}

}  // namespace

napi_value ToJs(napi_env env, const Value& value) {
  return std::visit([env](const auto& alternative) { return ToJs(env, alternative); }, value);
}

}  // namespace vifwatch

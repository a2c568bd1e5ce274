#include "js_value.h"

#include <uv.h>

#include <cerrno>

namespace {

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
    // An array may be long, and every value made here would live as long as the caller's scope.
    napi_handle_scope scope = nullptr;
    napi_open_handle_scope(env, &scope);
    napi_set_element(env, array, i, ToJs(env, items[i]));
    napi_close_handle_scope(env, scope);
  }
  return array;
}

}  // namespace

napi_value ToJs(napi_env env, const std::string& bytes) {
  napi_value text = nullptr;
  napi_create_string_latin1(env, bytes.data(), bytes.size(), &text);
  return text;
}

napi_value ToJs(napi_env env, const Value& value) {
  return std::visit([env](const auto& alternative) { return ToJs(env, alternative); }, value);
}

napi_value ErrorToJs(napi_env env, int error) {
  char name[32];
  char text[128];
  uv_err_name_r(-error, name, sizeof name);
  uv_strerror_r(-error, text, sizeof text);
  // The one errno of ours that libuv has no name for: what a damaged program fails with.
  const bool isUnnamed = error == ENOEXEC;
  napi_value result = nullptr;
  napi_create_error(env, ToJs(env, std::string(isUnnamed ? "ENOEXEC" : name)),
                    ToJs(env, std::string(isUnnamed ? "exec format error" : text)), &result);
  return result;
}

void CallJs(napi_env env, napi_value function, std::initializer_list<napi_value> arguments) {
  const napi_status status = napi_call_function(env, ToJs(env, std::monostate()), function,
                                                arguments.size(), arguments.begin(), nullptr);
  if (status != napi_pending_exception) return;
  napi_value exception = nullptr;
  napi_get_and_clear_last_exception(env, &exception);
  napi_fatal_exception(env, exception);
}

#include "js_value.h"

#include <uv.h>

#include <cerrno>

namespace vifwatch {

napi_value ToJs(napi_env env, const std::string& bytes) {
  napi_value text = nullptr;
  napi_create_string_latin1(env, bytes.data(), bytes.size(), &text);
  return text;
}

napi_value ErrorToJs(napi_env env, int error) {
  char name[32];
  char text[128];
  uv_err_name_r(-error, name, sizeof name);
  uv_strerror_r(-error, text, sizeof text);
  // execve(2) of a damaged program fails with ENOEXEC, for which libuv has no name.
  const bool isUnnamed = error == ENOEXEC;
  napi_value result = nullptr;
  napi_create_error(env, ToJs(env, std::string(isUnnamed ? "ENOEXEC" : name)),
                    ToJs(env, std::string(isUnnamed ? "exec format error" : text)), &result);
  return result;
}

void CallJs(napi_env env, napi_value function, std::initializer_list<napi_value> arguments) {
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  const napi_status status = napi_call_function(env, undefined, function, arguments.size(),
                                                arguments.begin(), nullptr);
  if (status != napi_pending_exception) return;
  napi_value exception = nullptr;
  napi_get_and_clear_last_exception(env, &exception);
  napi_fatal_exception(env, exception);
}

}  // namespace vifwatch

#include "failure.h"

#include "js_value.h"

namespace vifwatch {

Napi::Error ToError(Napi::Env env, const Failure& failure) {
  Napi::Error error(env, ErrorToJs(env, failure.code().value()));
  error.Set("operation", failure.Operation());
  return error;
}

}  // namespace vifwatch

#include "file/lock_file.h"

#include <sys/file.h>

#include <cerrno>

#include "js_value.h"

namespace vifwatch {

Napi::Value LockFile(const Napi::CallbackInfo& info) {
  if (flock(info[0].As<Napi::Number>().Int32Value(), LOCK_EX | LOCK_NB) == 0) {
    return Napi::Boolean::New(info.Env(), true);
  }
  if (errno == EWOULDBLOCK) return Napi::Boolean::New(info.Env(), false);
  throw Napi::Error(info.Env(), ErrorToJs(info.Env(), errno));
}

}  // namespace vifwatch

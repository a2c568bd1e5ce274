#include "process/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "js_value.h"
#include "process/descriptor.h"

namespace vifwatch {

Napi::Value Pipe(const Napi::CallbackInfo& info) {
  auto result = Napi::Array::New(info.Env(), 2);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw Napi::Error(info.Env(), ErrorToJs(info.Env(), errno));
  }
  Descriptor input(ends[0]);
  Descriptor output(ends[1]);
  result.Set(0u, Napi::Number::New(info.Env(), input.Number()));
  result.Set(1u, Napi::Number::New(info.Env(), output.Number()));
  input.Release();
  output.Release();
  return result;
}

}  // namespace vifwatch

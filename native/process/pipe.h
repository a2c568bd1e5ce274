// Pipes as other programs know them, where libuv makes socket pairs.
#pragma once

#include <napi.h>

namespace vifwatch {

// [read end, write end], both closed on exec. Throws Napi::Error with the errno's name in `code`.
Napi::Value Pipe(const Napi::CallbackInfo& info);

}  // namespace vifwatch

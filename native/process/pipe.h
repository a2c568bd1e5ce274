// Real pipes. libuv makes socket pairs, which some programs cannot use.
#pragma once

#include <napi.h>

namespace vifwatch {

// Returns [read end, write end], both closed on exec. Throws Napi::Error with the errno's name in
// `code`.
Napi::Value Pipe(const Napi::CallbackInfo& info);

}  // namespace vifwatch

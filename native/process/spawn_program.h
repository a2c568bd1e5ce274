// The JavaScript function that starts a program. src/xen/native.ts declares its types.
#pragma once

#include <napi.h>

namespace vifwatch {

Napi::Value Spawn(const Napi::CallbackInfo& info);

}  // namespace vifwatch

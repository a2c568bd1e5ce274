// The JavaScript function that starts a program. src/xen/native.ts says what it takes and gives.
#pragma once

#include <napi.h>

namespace vifwatch {

Napi::Value Spawn(const Napi::CallbackInfo& info);

}  // namespace vifwatch

// An exclusive lock on an open file, for as long as this process has the file open.
#pragma once

#include <napi.h>

namespace vifwatch {

// Takes a descriptor. Returns false if another process has the lock. Throws Napi::Error with the errno's name
// in `code`.
Napi::Value LockFile(const Napi::CallbackInfo& info);

}  // namespace vifwatch

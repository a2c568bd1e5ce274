// Whether a process may be in the middle of writing a file.
#pragma once

#include <napi.h>

namespace vifwatch {

// Takes a descriptor of a regular file that is open for reading. Returns true if any process has the file
// open for writing; false also if the file system cannot tell, as NFS. Throws Napi::Error with the errno's
// name in `code`.
Napi::Value IsOpenForWriting(const Napi::CallbackInfo& info);

}  // namespace vifwatch

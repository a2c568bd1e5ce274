// The credentials of the process at the other end of a unix socket.
#pragma once

#include <napi.h>

namespace vifwatch {

// Returns {pid, uid, gid} of the process that connected the socket with this descriptor. Throws
// Napi::Error with the errno's name in `code`.
Napi::Value PeerCredentials(const Napi::CallbackInfo& info);

}  // namespace vifwatch

// Converts and checks JavaScript arguments. Each function throws a Napi::Error: EINVAL for a value
// that libxenstore would misread, E2BIG for a request that would make it close the connection.
#pragma once

#include <napi.h>

#include <string>

#include "xenstore/reply.h"

namespace vifwatch {

// EINVAL if the path contains a NUL or is longer than XENSTORE_ABS_PATH_MAX.
std::string ToPath(const Napi::Value& value);

// Converts an array of paths, with the same checks.
Strings ToPaths(const Napi::Value& value);

// Converts a string of one character per byte; EINVAL for a character above U+00FF.
std::string ToBytes(const Napi::Value& value);

// EINVAL for a domid that is out of range.
Permissions ToPermissions(const Napi::Value& value);

// E2BIG if a request is too large: /dev/xen/xenbus accepts at most 4 KiB including the header, and
// libxenstore closes its descriptor when a write fails.
void CheckSize(Napi::Env env, const std::string& path, std::size_t otherBytes);

// The longest permission in a request: "b65535" and a NUL.
constexpr std::size_t kMaxPermissionSize = 7;

}  // namespace vifwatch

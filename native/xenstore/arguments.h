// What JavaScript passes in. Each function throws a Napi::Error: EINVAL for what libxenstore would
// take for something else, E2BIG for what would make it give up the connection.
#pragma once

#include <napi.h>

#include <string>

#include "xenstore/reply.h"

namespace vifwatch {

// EINVAL if the path holds a NUL or is longer than any path may be.
std::string ToPath(const Napi::Value& value);

// The same of each in an array.
Strings ToPaths(const Napi::Value& value);

// The bytes of a string of one character per byte; EINVAL if it holds any other character.
std::string ToBytes(const Napi::Value& value);

// EINVAL if a domid is none.
Permissions ToPermissions(const Napi::Value& value);

// E2BIG if a request would not fit: /dev/xen/xenbus takes 4 KiB with the header at most, and
// libxenstore closes its descriptor when a write fails.
void CheckSize(Napi::Env env, const std::string& path, std::size_t otherBytes);

// What one permission takes in a request at most: "b65535" and a NUL.
constexpr std::size_t kMaxPermissionSize = 7;

}  // namespace vifwatch

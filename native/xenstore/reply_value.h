// Converts replies to JavaScript values, with the functions of js_value.h.
#pragma once

#include <node_api.h>

#include "xenstore/reply.h"

namespace vifwatch {

napi_value ToJs(napi_env env, const Value& value);

}  // namespace vifwatch

// JavaScript values for replies, as js_value.h makes them.
#pragma once

#include <node_api.h>

#include "xenstore/reply.h"

namespace vifwatch {

napi_value ToJs(napi_env env, const Value& value);

}  // namespace vifwatch

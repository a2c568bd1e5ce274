// JavaScript values in plain Node-API: where a worker is being terminated its calls fail, and there
// a status that can be ignored is better than an exception. Failures yield nullptr.
#pragma once

#include <node_api.h>

#include <initializer_list>
#include <string>

namespace vifwatch {

napi_value ToJs(napi_env env, const std::string& bytes);  // latin1: one character per byte

// An Error whose `code` is the name of the errno.
napi_value ErrorToJs(napi_env env, int error);

// Calls a function from the event loop, within a callback scope. What it throws is uncaught.
void CallJs(napi_env env, napi_value function, std::initializer_list<napi_value> arguments);

}  // namespace vifwatch

// Makes JavaScript values with plain Node-API. Its calls fail while a worker is being terminated.
// Then a status is better than a C++ exception. A value that cannot be made completely is nullptr,
// which every Node-API call refuses.
#pragma once

#include <node_api.h>

#include <initializer_list>
#include <string>

namespace vifwatch {

napi_value ToJs(napi_env env, const std::string& bytes);  // latin1: one character per byte

// Makes an Error with the errno's name in `code`.
napi_value ErrorToJs(napi_env env, int error);

// Calls a function from the event loop, within a callback scope. An exception that the function
// throws becomes an uncaught exception.
void CallJs(napi_env env, napi_value function, std::initializer_list<napi_value> arguments);

}  // namespace vifwatch

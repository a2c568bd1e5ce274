// The exception that vchan and process operations throw.
#pragma once

#include <napi.h>

#include <system_error>

namespace vifwatch {

class Failure : public std::system_error {
 public:
  // `operation` is a name from the lists in src/xen/native.ts, `error` an errno.
  Failure(const char* operation, int error)
      : std::system_error(error, std::generic_category()), operation_(operation) {}

  const char* Operation() const { return operation_; }

 private:
  const char* operation_;
};

// Makes a JavaScript Error with the errno's name in `code`, and the `operation`.
Napi::Error ToError(Napi::Env env, const Failure& failure);

}  // namespace vifwatch
